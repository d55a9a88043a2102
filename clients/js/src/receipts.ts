// Receipts, a part of its own: `import { Receipts } from "@cairn/client/receipts"`.

export { Receipts, type Contradiction } from "./chains/receipts.js";
export type { Receipt } from "./node/chain_routes.js";
