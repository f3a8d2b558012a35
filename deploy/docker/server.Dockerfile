# The server. It holds no key: it stores, checks and cleans up, and serves the page.
#   docker build --file deploy/docker/server.Dockerfile --tag cyberbackup-server .
#   docker run --read-only --tmpfs /tmp --volume backups:/var/lib/cyberbackup --publish 9443:9443 cyberbackup-server

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
RUN install --directory --mode=0700 --owner=10001 --group=10001 /out/cyberbackup

FROM debian:bookworm-slim
COPY --from=build /opt/cyberbackup /opt/cyberbackup
COPY --from=build --chown=10001:10001 /out/cyberbackup /var/lib/cyberbackup
ENV PATH=/opt/cyberbackup/bin:/usr/bin:/bin \
    CYBERBACKUP_HOME=/var/lib/cyberbackup \
    CYBERBACKUP_DATA=/var/lib/cyberbackup \
    NODE_COMPILE_CACHE=/tmp/cyberbackup
USER 10001:10001
VOLUME /var/lib/cyberbackup
EXPOSE 9443
HEALTHCHECK --interval=30s --timeout=10s --retries=4 CMD ["cyberbackup", "status"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["cyberbackup"]
CMD ["serve"]
