// SPDX-License-Identifier: Apache-2.0
// Address space that a function asks for: its BARs and, for a bridge, its windows.

/** What kind of address space. */
export interface ResourceKind {
  readonly space: 'memory' | 'io';
  readonly is64: boolean;
  readonly prefetchable: boolean;
}

/** A BAR. Its address is where it is on the PCI bus; undefined while nothing is assigned. */
export interface PciBar extends ResourceKind {
  /** The first of its registers, 0 to 5. */
  readonly index: number;
  readonly sizeBytes: number;
  address: number | undefined;
}

/** A bridge's window while addresses are being assigned; its kind says which registers it is programmed in. */
export interface BridgeWindow extends ResourceKind {
  /** What lies behind needs so much; 0 for a window that stays closed. */
  sizeBytes: number;
  /** What is asked for first: with the reserve of a hot-plug slot. */
  wantedBytes: number;
  align: number;
  address: number | undefined;
  /** What it got; 0 while it is closed. */
  takenBytes: number;
}
