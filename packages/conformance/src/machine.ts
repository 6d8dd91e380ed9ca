// SPDX-License-Identifier: Apache-2.0
// What the author of a plugin describes: the machine in which the kit examines one node. The kit builds boards and hosts.

import type { Firmware, Silicon } from '@irqkit/core';

export interface Machine {
  /** With the node under test, the controllers it stands on, and two processors at least. */
  readonly firmware: Firmware;
  /** The node under test. */
  readonly path: string;
  /** What firmware does not say, by node path. */
  readonly silicon?: Readonly<Record<string, Silicon>>;
  /** What is plugged into bus nodes, by node path. */
  readonly plugged?: Readonly<Record<string, readonly unknown[]>>;
  /** The ids of two devices whose MSIs reach the controller; 8 and 16 where they are not given. */
  readonly deviceIds?: readonly [number, number];
  /** Specifiers of wired inputs that may be raised: two at least for a controller that has any. */
  readonly inputs?: readonly (readonly number[])[];
  /** Specifiers that name no input. */
  readonly foreignInputs?: readonly (readonly number[])[];
}

/** Makes the same machine each time it is called. */
export type Setup = () => Machine;
