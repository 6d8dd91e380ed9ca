// SPDX-License-Identifier: Apache-2.0
// Feeds a capture to models: writes and messages go in, answers are compared with what was recorded.

import { createBoard } from '@irqkit/board';
import { FirmwareError, LinuxError } from '@irqkit/core';
import type { FirmwareNode, Region, Silicon } from '@irqkit/core';
import type { AdapterRun, CapturedSilicon, CoveredRegion, ReplayAdapter } from './adapter.js';
import { gicV2Adapter } from './adapters/gic-v2.js';
import { gicV2mAdapter } from './adapters/gic-v2m.js';
import { gicV3Adapter } from './adapters/gic-v3.js';
import { gicV3ItsAdapter } from './adapters/gic-v3-its/gic-v3-its.js';
import { smmuV3Adapter } from './adapters/smmu-v3/smmu-v3.js';
import { CaptureError } from './capture/capture-error.js';
import { isAccess } from './capture/capture.js';
import type { Capture, CapturedAccess } from './capture/capture.js';
import type { ReplayReport } from './report/replay-report.js';
import { Tally } from './report/tally.js';
import { ReplaySession } from './replay-session.js';

/** Every controller that can be replayed. An event that two could have goes to the first. */
export const ADAPTERS: readonly ReplayAdapter[] = [
  gicV2mAdapter,
  smmuV3Adapter,
  gicV2Adapter,
  gicV3ItsAdapter,
  gicV3Adapter,
];

export interface ReplayOptions {
  /** ADAPTERS where it is left out. */
  readonly adapters?: readonly ReplayAdapter[];
}

/** A node that an adapter replays. */
interface Covered {
  readonly adapter: ReplayAdapter;
  readonly path: string;
  readonly regions: readonly CoveredRegion[];
}

/**
 * Replays a whole capture on a board of its devicetree.
 * @throws CaptureError where the capture contradicts itself: an access by a processor that it does not have, a tree of which
 * no board can be built
 */
export function replayCapture(capture: Capture, options: ReplayOptions = {}): ReplayReport {
  const covered = ofFirmware(capture, () => coverage(capture, options.adapters ?? ADAPTERS));
  const tally = new Tally();
  const silicon = capturedSilicon(capture, covered, tally);
  const plugins = [...new Set(covered.map(({ adapter }) => adapter.plugin))];
  const board = ofFirmware(capture, () => createBoard({ firmware: capture.firmware, plugins, silicon }));
  const runs: AdapterRun[] = [];
  try {
    const regions = covered.flatMap((one) => one.regions);
    const session = new ReplaySession({ board, capture, tally, regions, silicon, runs });
    const byRegion = new Map<string, AdapterRun>();
    for (const { adapter, regions: own } of covered) {
      const run = adapter.start(session, own);
      runs.push(run);
      for (const { name } of own) byRegion.set(name, run);
    }
    session.forEachRecord((record) => {
      if (isAccess(record)) {
        const run = byRegion.get(record.region);
        if (run) run.access(record);
        else tally.notCovered(`accesses to ${record.region}`, 'no adapter replays it');
      } else if (!runs.some((run) => run.event(record)))
        tally.notCovered(`${record.file}: ${record.event}`, 'no adapter replays it');
    });
    for (const run of runs) run.finish?.();
    return tally.report(capture.dir);
  } finally {
    for (const run of runs) run.dispose?.();
    board.dispose();
  }
}

function coverage({ firmware, regions }: Capture, adapters: readonly ReplayAdapter[]): Covered[] {
  const found = regions.flatMap(({ name, base }) => {
    for (const adapter of adapters.filter((one) => one.regions.includes(name))) {
      const node = firmware.nodes.find((one) => models(adapter, one) && one.regs.some((reg) => holds(reg, base)));
      if (node) return [{ adapter, region: { name, base, path: node.path } }];
    }
    return [];
  });
  const keys = [...new Set(found.map(({ region }) => region.path))];
  // In the order of the adapters, which decides whose event is whose.
  return keys
    .map((path) => {
      const own = found.filter(({ region }) => region.path === path);
      return { adapter: own[0].adapter, path, regions: own.map(({ region }) => region) };
    })
    .sort((a, b) => adapters.indexOf(a.adapter) - adapters.indexOf(b.adapter));
}

function models({ plugin }: ReplayAdapter, node: FirmwareNode): boolean {
  return plugin.models?.some((entry) => entry.compatible.some((one) => node.compatible.includes(one))) ?? false;
}

function capturedSilicon(capture: Capture, covered: readonly Covered[], tally: Tally): Record<string, Silicon> {
  const values: Record<string, Silicon> = {};
  const accesses = capture.records.filter(isAccess);
  for (const { adapter, path, regions } of covered)
    for (const entry of adapter.silicon) {
      if (!regions.some((own) => own.name === entry.region)) continue;
      const read = accesses.find((access) => isRead(access, entry));
      if (!read) continue;
      const value = entry.value?.(read.lo, read.hi) ?? read.lo;
      values[path] = { ...values[path], [entry.name]: value };
      tally.give(`${entry.name} 0x${value.toString(16)}`, 'silicon: only the capture says it', read);
    }
  return values;
}

function isRead(access: CapturedAccess, { region, offset, value }: CapturedSilicon): boolean {
  const enough = access.size === 8 || (access.size === 4 && !value);
  return access.op === 'r' && access.region === region && access.offset === offset && enough;
}

function holds({ base, sizeBytes }: Region, address: number): boolean {
  return address >= base && address < base + sizeBytes;
}

function ofFirmware<T>({ dir }: Capture, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!LinuxError.is(error) && !(error instanceof FirmwareError)) throw error;
    throw new CaptureError(`${dir}/platform.dtb`, error.message, { cause: error });
  }
}
