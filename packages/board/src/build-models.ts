// SPDX-License-Identifier: Apache-2.0
// Which nodes of the firmware get a model, and the building of all of them.

import { indexEntries, LinuxError, matchEntry, MODEL_CONTEXT, probeNodes, unprobe } from '@irqkit/core';
import type { FirmwareNode, Model, ModelContext, ModelEntry, Probed } from '@irqkit/core';
import type { RingLog } from './board-log.js';
import { BoardModelContext, MODEL_TOKENS } from './board-model-context.js';
import type { BoardOptions } from './board.js';
import { DevicePorts } from './devices/device-ports.js';
import { Models } from './models.js';
import type { Processors } from './processors.js';
import type { Ram } from './ram/ram.js';
import type { AddressSpace } from './space/address-space.js';
import type { Switchboard } from './wires/switchboard.js';

/** A node and the entry that claims it. */
interface Candidate {
  readonly node: FirmwareNode;
  readonly plugin: string;
  readonly maker: ModelEntry;
}

/** What models are built on. */
export interface Foundation {
  readonly ram: Ram;
  readonly cpus: Processors;
  readonly space: AddressSpace;
  readonly wires: Switchboard;
  readonly log: RingLog;
}

/** Models that stand, their wires connected and their frames in the address space. */
export interface BuiltModels {
  readonly models: Models;
  /** Disposes them, last built first. */
  readonly release: () => void;
}

/** @throws what `createBoard` throws, with every model that stood disposed */
export function buildModels(options: BoardOptions, on: Foundation): BuiltModels {
  const candidates = new Map(candidatesOf(options).map((candidate) => [candidate.node.path, candidate]));
  checkPaths(options, candidates);
  const models = new Models(new Set(candidates.keys()));
  const probed = probeNodes<Model, ModelContext>({
    candidates: [...candidates.values()],
    contextToken: MODEL_CONTEXT,
    tokens: MODEL_TOKENS,
    contextOf: (node, devres) => {
      devres.add(() => on.wires.cut(node));
      return contextOf(node, candidates.get(node.path)?.maker, options, on, models);
    },
    onProbed: ({ node, instance, devres }) => {
      devres.add(() => instance.dispose?.());
      models.byPath.set(node.path, instance);
    },
  });
  try {
    populate(on.space, probed);
    models.complete = true;
    on.wires.connect((spec) => models.input(spec));
  } catch (error) {
    unprobe(probed);
    throw error;
  }
  const release = () => {
    on.wires.muted = true;
    unprobe(probed);
  };
  return { models, release };
}

function candidatesOf({ firmware, plugins }: BoardOptions): Candidate[] {
  const index = indexEntries<ModelEntry>(plugins, (plugin) => plugin.models);
  return firmware.nodes.filter(isReachable).flatMap((node) => {
    const claim = matchEntry(node, index);
    return claim ? [{ node, plugin: claim.plugin, maker: claim.entry }] : [];
  });
}

// A device behind a disabled bus is not there either.
function isReachable(node: FirmwareNode): boolean {
  return node.available && (node.parent === undefined || isReachable(node.parent));
}

function checkPaths(
  { firmware, silicon = {}, plugged = {} }: BoardOptions,
  candidates: ReadonlyMap<string, Candidate>,
): void {
  for (const path of Object.keys(silicon))
    if (!firmware.find(path)) throw new LinuxError('ENODEV', `${path}: silicon for a node that firmware does not have`);
  for (const path of Object.keys(plugged))
    if (!candidates.has(path)) throw new LinuxError('ENODEV', `${path}: nothing models what is plugged into it`);
}

function contextOf(
  node: FirmwareNode,
  entry: ModelEntry | undefined,
  { silicon = {}, plugged = {} }: BoardOptions,
  { ram, cpus, space, wires, log }: Foundation,
  models: Models,
): ModelContext {
  const ownLog = log.of(node.path);
  const parts = {
    node,
    silicon: Object.freeze({ ...entry?.silicon, ...silicon[node.path] }),
    dma: ram,
    cpuIrqs: cpus.lines,
    mpidr: cpus.mpidr,
    ports: new DevicePorts(node, space, cpus, ownLog, (controller) => models.iommuOf(controller)),
    plugged: plugged[node.path] ?? [],
    log: ownLog,
  };
  return new BoardModelContext(parts, models, wires);
}

function populate(space: AddressSpace, probed: readonly Probed<Model>[]): void {
  for (const { node, instance } of probed) {
    const { regs } = node;
    instance.frames.slice(0, regs.length).forEach((frame, i) => space.add(node.path, regs[i], frame));
    for (const { region, model } of instance.windows ?? []) space.add(node.path, region, model);
  }
}
