# The page alone, for a server elsewhere, so that the code which opens files does not come from where they are stored. It keeps nothing.
#   docker build --file deploy/docker/web.Dockerfile --tag cyberbackup-web .
#   docker run --read-only --tmpfs /tmp --volume ./tls:/tls:ro --publish 443:8443 cyberbackup-web \
#     web --listen 0.0.0.0:8443 --tls-cert /tls/cert.pem --tls-key /tls/key.pem --server https://backup.example.org:9443 --server-pin …

# The same in server.Dockerfile and web.Dockerfile (held equal by tests/package/package.test.ts): the package, made and installed as
# people install it.
FROM node:26.10-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN mkdir /out && npm pack --pack-destination /out
RUN npm install --global --prefix /opt/cyberbackup --no-audit --no-fund /out/*.tgz
# The program brings its own runtime: nothing else of Node goes along.
RUN ln -s ../lib/node_modules/cyberbackup/node_modules/node/bin/node /opt/cyberbackup/bin/node

FROM debian:bookworm-slim
COPY --from=build /opt/cyberbackup /opt/cyberbackup
ENV PATH=/opt/cyberbackup/bin:/usr/bin:/bin \
    CYBERBACKUP_HOME=/tmp/home \
    NODE_COMPILE_CACHE=/tmp/cyberbackup
USER 10001:10001
EXPOSE 8443
HEALTHCHECK --interval=30s --timeout=10s --retries=4 CMD ["cyberbackup", "status", "--url", "https://localhost:8443/"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["cyberbackup"]
CMD ["web", "--listen", "0.0.0.0:8443", "--tls-cert", "/tls/cert.pem", "--tls-key", "/tls/key.pem"]
