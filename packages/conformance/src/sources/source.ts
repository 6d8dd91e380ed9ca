// SPDX-License-Identifier: Apache-2.0
// Interrupts of the controller under test, whichever way they reach it.

import type { Rig } from '../rig/rig.js';

export interface Source {
  /** `vector 3`, `input <0 5 4>` */
  readonly label: string;
  readonly virq: number;
  readonly raise: () => void;
  /** What the device does when it is served: takes its level back. */
  readonly settle: () => void;
}

/** A way for interrupts to reach a controller. */
export interface SourceKind {
  readonly name: 'msi' | 'wired';
  /** Takes interrupts on the rig's host until the rig is closed. @throws LinuxError as the controller does */
  open(rig: Rig): readonly Source[];
  /** What distinguishes each of them to hardware: its message, or its number. */
  identify(rig: Rig, source: Source): unknown;
}
