// SPDX-License-Identifier: Apache-2.0
// The interrupt wires of a board: those of its nodes, and those its owner drives.

import { LinuxError } from '@irqkit/core';
import type { FirmwareNode, InterruptSpec, IrqLine } from '@irqkit/core';
import type { Processors } from '../processors.js';
import { Net } from './net.js';

/** The input that a specifier names; undefined where nothing models it. */
export type InputOf = (spec: InterruptSpec) => IrqLine | undefined;

/** The wires that are high. */
export interface WireState {
  readonly nodes: readonly { readonly path: string; readonly index: number }[];
  readonly owner: readonly { readonly controller: string; readonly args: readonly number[] }[];
}

class Wire implements IrqLine {
  level = false;

  constructor(
    readonly net: Net,
    private readonly board: Switchboard,
  ) {}

  set(level: boolean): void {
    if (level === this.level || this.board.muted) return;
    this.level = level;
    this.board.drive(this.net, level);
  }
}

export class Switchboard {
  /** While true, wires carry nothing. */
  muted = false;
  readonly #cpus: Processors;
  readonly #nets = new Map<string, Net>();
  readonly #nodes = new Map<string, readonly Wire[]>();
  readonly #owner = new Map<string, Wire>();
  #inputOf: InputOf | undefined;

  constructor(cpus: Processors) {
    this.#cpus = cpus;
  }

  /** The wires of the node's own interrupts, in order. */
  wiresOf(node: FirmwareNode): readonly IrqLine[] {
    let wires = this.#nodes.get(node.path);
    if (!wires) {
      wires = node.interrupts.map((spec) => this.#wire(spec));
      this.#nodes.set(node.path, wires);
    }
    return wires;
  }

  /** Lowers and removes the wires of a node whose model is gone. */
  cut(node: FirmwareNode): void {
    for (const wire of this.#nodes.get(node.path) ?? []) wire.set(false);
    this.#nodes.delete(node.path);
  }

  /** The owner's wire to an input, always the same one. */
  ownerWire(spec: InterruptSpec): IrqLine {
    const key = keyOf(spec);
    const wire = this.#owner.get(key) ?? this.#wire(spec);
    this.#owner.set(key, wire);
    return wire;
  }

  /** Joins every wire, also those to come, with its input, and passes on what is high already. */
  connect(inputOf: InputOf): void {
    this.#inputOf = inputOf;
    for (const net of this.#nets.values()) net.connect(inputOf(net.spec));
  }

  /** An input is driven like an access: the processors see what comes of it when all of it has happened. */
  drive(net: Net, level: boolean): void {
    const entered = this.#cpus.enter();
    try {
      net.drive(level);
    } finally {
      if (entered) this.#cpus.leave();
    }
  }

  save(): WireState {
    const nodes = [...this.#nodes].flatMap(([path, wires]) =>
      wires.flatMap((wire, index) => (wire.level ? [{ path, index }] : [])),
    );
    const high = [...this.#owner.values()].filter((wire) => wire.level);
    return {
      nodes,
      owner: high.map(({ net: { spec } }) => ({ controller: spec.controller.path, args: [...spec.args] })),
    };
  }

  /** The levels only: what they did to the inputs is in the controllers' own states. */
  restore(state: WireState, find: (path: string) => FirmwareNode | undefined): void {
    const nodeOf = (path: string): FirmwareNode => {
      const node = find(path);
      if (!node) throw new LinuxError('EINVAL', `${path}: no such node for a wire`);
      return node;
    };
    const high = new Set<IrqLine>([
      ...state.nodes.map(({ path, index }) => this.wiresOf(nodeOf(path))[index]),
      ...state.owner.map(({ controller, args }) => this.ownerWire({ controller: nodeOf(controller), args })),
    ]);
    const counts = new Map<Net, number>([...this.#nets.values()].map((net) => [net, 0]));
    for (const wire of [...[...this.#nodes.values()].flat(), ...this.#owner.values()]) {
      wire.level = high.has(wire);
      if (wire.level) counts.set(wire.net, counts.get(wire.net)! + 1);
    }
    for (const [net, nrHigh] of counts) net.adopt(nrHigh);
  }

  #wire(spec: InterruptSpec): Wire {
    const key = keyOf(spec);
    let net = this.#nets.get(key);
    if (!net) {
      net = new Net(spec);
      this.#nets.set(key, net);
      net.connect(this.#inputOf?.(spec));
    }
    return new Wire(net, this);
  }
}

function keyOf(spec: InterruptSpec): string {
  return `${spec.controller.path}:${spec.args.join(',')}`;
}
