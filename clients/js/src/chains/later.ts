// What is loaded when it is first needed, as one part: making a chain, following it live, new read
// epochs, and chains whose first links are gone.

export { newManifest } from "./birth.js";
export { live } from "./live.js";
export { boxKeyOf, openGrants, rotation } from "./rotation.js";
export { startOf } from "./start.js";
