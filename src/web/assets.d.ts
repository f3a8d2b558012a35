// What the bundler makes of files that are no code.

declare module "*.module.css" {
  const classes: Readonly<Record<string, string>>;
  export default classes;
}
declare module "*.css";
/** The address of a file. */
declare module "*?url" {
  const url: string;
  export default url;
}
