// SPDX-License-Identifier: Apache-2.0
// The firmware's description of the machine as drivers, models and descriptions read it. Devicetree and ACPI parsers give
// the same nodes, with devicetree's property names.

import type { PhysAddr } from './address.js';
import type { Region } from './bus.js';

/** Firmware that cannot be read, with its place: `/pcie@10000000 msi-map: 3 cells, 4 wanted (at 0x1a4)`. */
export class FirmwareError extends Error {
  /** A node's path, or a table's name. */
  readonly place: string;
  /** Byte offset within the blob or table. */
  readonly offset: number | undefined;

  constructor(place: string, message: string, offset?: number) {
    super(`${place}: ${message}${offset === undefined ? '' : ` (at 0x${offset.toString(16)})`}`);
    this.name = 'FirmwareError';
    this.place = place;
    this.offset = offset;
  }
}

/** One interrupt of a node: its controller and the controller's specifier cells. */
export interface InterruptSpec {
  readonly controller: FirmwareNode;
  readonly args: readonly number[];
}

/** Where an id of this node's bus arrives: a controller and the id it sees there. */
export interface MappedId {
  readonly controller: FirmwareNode;
  readonly id: number;
  /** Every cell of an `iommus` entry, the id first; missing where the id came through a map. */
  readonly args?: readonly number[];
}

/** One entry of `ranges` or `dma-ranges`. PCI child addresses carry their space in `flags` (phys.hi). */
export interface AddressRange {
  readonly flags: number;
  readonly childBase: number;
  /** As the CPU sees it: translated through all parents. */
  readonly parentBase: PhysAddr;
  readonly sizeBytes: number;
}

/**
 * A node. Getters that decode (`regs`, `interrupts`, `mapId`, `u32` …) throw FirmwareError with the node's path and the
 * property's place where the property is malformed, and answer empty or undefined where it is absent.
 */
export interface FirmwareNode {
  /** `/intc@8000000/v2m@8020000`; `/` for the root. */
  readonly path: string;
  /** The last part of the path, with its unit address. */
  readonly name: string;
  readonly parent: FirmwareNode | undefined;
  readonly children: readonly FirmwareNode[];
  /** Most specific first; empty where there is none. */
  readonly compatible: readonly string[];
  readonly phandle: number | undefined;
  /** False where `status` is anything but `okay` or `ok`. */
  readonly available: boolean;

  has(property: string): boolean;
  readonly propertyNames: readonly string[];
  bytes(property: string): Uint8Array | undefined;
  /** All cells of a property. */
  u32s(property: string): readonly number[] | undefined;
  /** The only cell of a property. */
  u32(property: string): number | undefined;
  strings(property: string): readonly string[] | undefined;
  string(property: string): string | undefined;

  /** `reg` as CPU physical ranges, translated through the parents' `ranges`; entries no parent translates are left out. */
  readonly regs: readonly Region[];
  /** @throws FirmwareError where there is no i-th entry. */
  reg(index: number): Region;
  readonly ranges: readonly AddressRange[];
  readonly dmaRanges: readonly AddressRange[];

  /** `interrupts-extended`, else `interrupts`, through interrupt nexus nodes (`interrupt-map`). */
  readonly interrupts: readonly InterruptSpec[];
  /** The controller that `interrupts` of this node go to, by `interrupt-parent` or the nearest parent that is one. */
  readonly interruptParent: FirmwareNode | undefined;
  /** What a child at `unitAddress` (cells) with specifier `args` is wired to through this node's `interrupt-map`. */
  mapInterrupt(unitAddress: readonly number[], args: readonly number[]): InterruptSpec | undefined;

  /**
   * Where requester id `requesterId` of this node's bus goes: `msi-map` then `msi-parent`, or `iommu-map` then `iommus`.
   * An `msi-parent` without id cells passes the requester id on; `iommus` gives the node's own id, whatever the requester.
   */
  mapId(kind: 'msi' | 'iommu', requesterId: number): MappedId | undefined;
  /** Every entry of this node's own `iommus`, in order; empty where there is none. */
  readonly iommus: readonly MappedId[];
}

/** A whole description. */
export interface Firmware {
  readonly root: FirmwareNode;
  /** Every node, parents before children, in the order of the source. */
  readonly nodes: readonly FirmwareNode[];
  find(path: string): FirmwareNode | undefined;
  byPhandle(phandle: number): FirmwareNode | undefined;
  /** RAM, as `/memory` nodes say it. */
  readonly memory: readonly Region[];
  /** The `reg` (MPIDR affinity) of each processor under /cpus that is not disabled, in order. */
  readonly cpus: readonly number[];
}
