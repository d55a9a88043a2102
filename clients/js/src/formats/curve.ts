// The curve of Ed25519 over noble's point arithmetic. noble's own `ed25519` brings what is not used
// here (prehashing, contexts, batches, hashing to the curve), 2.5 KiB of the bundle's 35, and its
// verification multiplies by the cofactor, which ours must not.

import { edwards } from "@noble/curves/abstract/edwards.js";

/** Points of the curve of RFC 8032, section 5.1. */
export const Point = /* @__PURE__ */ edwards({
  p: 2n ** 255n - 19n,
  n: 2n ** 252n + 27742317777372353535851937790883648493n,
  h: 8n,
  a: 2n ** 255n - 20n,
  d: 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n,
  Gx: 0x216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51an,
  Gy: 0x6666666666666666666666666666666666666666666666666666666666666658n,
});

export type CurvePoint = InstanceType<typeof Point>;
