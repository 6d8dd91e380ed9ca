// SPDX-License-Identifier: Apache-2.0
// A node of a devicetree as core's FirmwareNode: Devicetree Specification v0.4, chapter 2. Every getter decodes when it is
// called, so a malformed property harms only those who read it.

import { hex } from '@irqkit/bits';
import { FirmwareError } from '@irqkit/core';
import type { AddressRange, FirmwareNode, InterruptSpec, MappedId, Region } from '@irqkit/core';
import { cellAt } from './cells.js';
import type { FdtNode, FdtProperty } from './fdt.js';
import { findInterruptParent } from './interrupt-parent.js';
import { interruptsOf, mapInterrupt } from './interrupts.js';
import { iommusOf, mapId } from './map-id.js';
import type { Phandles } from './phandles.js';
import { rangesOf } from './ranges.js';
import { regAt, regsOf } from './reg.js';
import { decodeStrings } from './strings.js';

/** Up to this many properties a scan is faster than a Map. */
const FEW = 16;

export class FdtFirmwareNode implements FirmwareNode {
  readonly path: string;
  readonly name: string;
  readonly parent: FdtFirmwareNode | undefined;
  readonly children: FdtFirmwareNode[] = [];
  readonly #source: FdtNode;
  readonly #phandles: Phandles;
  #decoded: Map<string, unknown> | undefined;
  #properties: Map<string, FdtProperty> | undefined;
  #interruptParent: FdtFirmwareNode | undefined;

  constructor(source: FdtNode, parent: FdtFirmwareNode | undefined, phandles: Phandles) {
    this.#source = source;
    this.#phandles = phandles;
    this.parent = parent;
    this.name = source.name;
    this.path = parent === undefined ? '/' : `${parent.parent === undefined ? '' : parent.path}/${source.name}`;
  }

  get compatible(): readonly string[] {
    return this.strings('compatible') ?? [];
  }

  get phandle(): number | undefined {
    return this.u32('phandle') ?? this.u32('linux,phandle');
  }

  get available(): boolean {
    return !this.has('status') || this.equals('status', 'okay') || this.equals('status', 'ok');
  }

  has(property: string): boolean {
    return this.property(property) !== undefined;
  }

  get propertyNames(): readonly string[] {
    return this.#source.properties.map(({ name }) => name);
  }

  bytes(property: string): Uint8Array | undefined {
    return this.property(property)?.value;
  }

  u32s(property: string): readonly number[] | undefined {
    const value = this.bytes(property);
    if (value === undefined) return undefined;
    if (value.length % 4 !== 0) throw this.malformed(property, `${value.length} bytes are no whole number of cells`);
    const cells: number[] = [];
    for (let at = 0; at < value.length; at += 4) cells.push(cellAt(value, at));
    return cells;
  }

  u32(property: string): number | undefined {
    const value = this.bytes(property);
    if (value === undefined || value.length === 4) return value && cellAt(value, 0);
    throw this.malformed(property, `${value.length} bytes, one cell wanted`);
  }

  strings(property: string): readonly string[] | undefined {
    const value = this.bytes(property);
    if (value === undefined) return undefined;
    if (value.length > 0 && value[value.length - 1] !== 0)
      throw this.malformed(property, 'a string without its NUL', value.length);
    return decodeStrings(value);
  }

  string(property: string): string | undefined {
    const strings = this.strings(property);
    if (strings?.length === 0) throw this.malformed(property, 'empty, a string wanted');
    return strings?.[0];
  }

  get regs(): readonly Region[] {
    return regsOf(this);
  }

  reg(index: number): Region {
    return regAt(this, index);
  }

  get ranges(): readonly AddressRange[] {
    return rangesOf(this, 'ranges');
  }

  get dmaRanges(): readonly AddressRange[] {
    return rangesOf(this, 'dma-ranges');
  }

  get interrupts(): readonly InterruptSpec[] {
    return interruptsOf(this);
  }

  get interruptParent(): FdtFirmwareNode | undefined {
    return (this.#interruptParent ??= findInterruptParent(this));
  }

  mapInterrupt(unitAddress: readonly number[], args: readonly number[]): InterruptSpec | undefined {
    return mapInterrupt(this, unitAddress, args);
  }

  mapId(kind: 'msi' | 'iommu', requesterId: number): MappedId | undefined {
    return mapId(this, kind, requesterId);
  }

  get iommus(): readonly MappedId[] {
    return iommusOf(this);
  }

  property(name: string): FdtProperty | undefined {
    const { properties } = this.#source;
    if (properties.length > FEW) {
      this.#properties ??= new Map(properties.map((property) => [property.name, property]));
      return this.#properties.get(name);
    }
    for (const property of properties) if (property.name === name) return property;
    return undefined;
  }

  /** True where the property is the one string `text`, well formed. */
  equals(property: string, text: string): boolean {
    const value = this.bytes(property);
    if (value === undefined || value.length !== text.length + 1 || value[text.length] !== 0) return false;
    for (let at = 0; at < text.length; at++) if (value[at] !== text.charCodeAt(at)) return false;
    return true;
  }

  /** True for `serial@9000000` and `serial` where `base` is `serial`. */
  isCalled(base: string): boolean {
    return this.name.startsWith(base) && (this.name.length === base.length || this.name[base.length] === '@');
  }

  /**
   * A property that counts cells: `#address-cells`, `#interrupt-cells` …
   * @throws FirmwareError where it is more than `most`.
   */
  cellCount(property: string, most: number): number | undefined {
    const count = this.u32(property);
    if (count !== undefined && count > most) throw this.malformed(property, `${count} cells, at most ${most} wanted`);
    return count;
  }

  /**
   * The node that the cell at index `cell` of `property` names.
   * @throws FirmwareError where none or more than one has that phandle.
   */
  referenced(property: string, phandle: number, cell: number): FdtFirmwareNode {
    const nodes = this.#phandles.all(phandle);
    if (nodes.length === 0) throw this.malformed(property, `no node has phandle ${hex(phandle)}`, cell * 4);
    if (nodes.length > 1)
      throw this.malformed(property, `${nodes[0].path} and ${nodes[1].path} have phandle ${hex(phandle)}`, cell * 4);
    return nodes[0];
  }

  /** The decoded form of a property, kept: `decode` runs until it has once succeeded. */
  once<T>(key: string, decode: () => T): T {
    this.#decoded ??= new Map();
    if (!this.#decoded.has(key)) this.#decoded.set(key, decode());
    return this.#decoded.get(key) as T;
  }

  /** The error that says what is wrong `at` bytes into a property. */
  malformed(property: string, message: string, at = 0): FirmwareError {
    const offset = this.property(property)?.offset;
    return new FirmwareError(
      `${this.path} ${property}`,
      message,
      offset === undefined ? this.#source.offset : offset + at,
    );
  }
}
