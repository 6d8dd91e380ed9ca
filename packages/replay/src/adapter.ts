// SPDX-License-Identifier: Apache-2.0
// What replay needs to know of one kind of controller. Each is a file of `adapters/`.

import type { Plugin } from '@irqkit/core';
import type { CapturedAccess, CapturedEvent } from './capture/capture.js';
import type { ReplaySession } from './replay-session.js';

/** A register whose value only silicon knows: the capture's first read of it is given to the model. */
export interface CapturedSilicon {
  readonly region: string;
  readonly offset: number;
  /** As the plugin's `silicon` calls it. */
  readonly name: string;
  /** What of the register that takes; its low word where this is left out. */
  readonly value?: (lo: number, hi: number) => number;
}

export interface ReplayAdapter {
  /** Whose models are driven: it decides which nodes the adapter is for. */
  readonly plugin: Plugin;
  /** What captures call the regions of such a node. */
  readonly regions: readonly string[];
  readonly silicon: readonly CapturedSilicon[];
  /** Begins one replay, on the nodes found behind the capture's regions. */
  start(session: ReplaySession, regions: readonly CoveredRegion[]): AdapterRun;
}

/** A region of the capture that an adapter replays. */
export interface CoveredRegion {
  readonly name: string;
  readonly base: number;
  /** The path of the node whose registers it holds. */
  readonly path: string;
}

export interface PendingLpi {
  readonly intid: number;
  readonly redistributor: number;
}

export interface AdapterRun {
  /** Replays one access to its regions. */
  access(access: CapturedAccess): void;
  /** True where the event is its own; the first adapter that says so has it. */
  event(event: CapturedEvent): boolean;
  /** True for an INTID that this node raises itself, from messages or on its own wires. */
  raises?(intid: number): boolean;
  /** The SPIs that are pending now, ascending: an interrupt controller's answer to MSI controllers. */
  pendingSpis?(): readonly number[];
  /** The LPIs that are pending now: what an ITS did is seen by them. */
  pendingLpis?(): readonly PendingLpi[];
  /** Where the LPI configuration table is; undefined before software has said so. */
  lpiConfigurationTable?(): number | undefined;
  /** Called when all has been replayed. */
  finish?(): void;
  /** Lets go of what the run holds, whether it came to its end or not. */
  dispose?(): void;
}
