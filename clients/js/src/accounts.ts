// Accounts, a part of its own: `import { Accounts } from "@cairn/client/accounts"`.

export { Account, type SlotInfo } from "./accounts/account.js";
export { Accounts, type AccountsOptions, type Credentials } from "./accounts/accounts.js";
export { WeakKdf, WrongAccount } from "./accounts/errors.js";
export type { Cost } from "./accounts/secrets.js";
export { isHandle, type SlotKind } from "./formats/account.js";
