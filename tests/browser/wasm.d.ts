// What esbuild's "dataurl" loader makes of a .wasm file.

declare module "*.wasm" {
  const url: string;
  export default url;
}
