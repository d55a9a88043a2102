// All that this library uses of Node.
declare module "node:crypto" {
  export const webcrypto: Crypto;
}
