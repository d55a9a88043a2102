// The platform's WebCrypto. package.json picks webcrypto_node.ts instead under Node, where version
// 18 does not have it as a global.

export const webCrypto: Crypto = globalThis.crypto;
