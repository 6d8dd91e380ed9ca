// SPDX-License-Identifier: Apache-2.0
// Devicetree blobs: read, written, printed as source, and as the firmware nodes that boards, hosts and planners take.

export type { Fdt, FdtNode, FdtProperty, FdtReservation } from './fdt.js';
export { firmwareFromFdt } from './firmware-from-fdt.js';
export { parseFdt } from './parse-fdt.js';
export { printDts } from './print-dts.js';
export { writeFdt } from './write-fdt.js';
