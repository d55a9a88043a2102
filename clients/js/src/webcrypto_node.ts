import { webcrypto } from "node:crypto";

export const webCrypto: Crypto = webcrypto;
