// SPDX-License-Identifier: Apache-2.0
// The process of one scenario: descriptors by the recorder's names, its memory, and its eventfds. What a recording does not say of
// it (closes, where its memory is) follows from what it did next.

import { EventFd, Process } from '@irqkit/vfio-type1';
import type { OpenFile } from '@irqkit/vfio-type1';
import type { JsonRecord } from '../capture/json-lines.js';
import type { VfioMachine } from './machine.js';

export const PAGE_BYTES = 0x1000;
/** The recorder's `buf`. */
const BUFFER_BYTES = 32 * 2 ** 20;
/** @linux VFIO_DMA_UNMAP_FLAG_ALL */
const UNMAP_ALL = 2;
/** Somewhere that none of the addresses that it names is. */
const BUFFER = 0x7f00_0000_0000;

export class PlayedProcess {
  readonly process: Process;
  readonly #machine: VfioMachine;
  readonly #fds = new Map<string, number[]>();
  /** Successful mappings as they stand: IOVA, size and where in memory. */
  readonly #mapped: { readonly iova: number; readonly sizeBytes: number; readonly vaddr: number }[] = [];
  /** The id of each group that it opened, by the recorder's name. */
  readonly groupOf = new Map<string, number>();
  #scratch: number | undefined;
  #barAt: number | undefined;

  constructor(machine: VfioMachine) {
    this.#machine = machine;
    this.process = new Process({ memory: machine.board.bus.memory, ipcLock: true });
    this.process.mm.mmap({ sizeBytes: BUFFER_BYTES, vaddr: BUFFER, unitBytes: 2 * 2 ** 20 });
  }

  /** The descriptor opened last under a recorder's name; -1 for one that is not open. */
  fd(name: string): number {
    return this.#fds.get(name)?.at(-1) ?? -1;
  }

  add(name: string, fd: number): void {
    this.#fds.set(name, [...(this.#fds.get(name) ?? []), fd]);
  }

  close(name: string): void {
    for (const fd of this.#fds.get(name) ?? []) this.process.close(fd);
    this.#fds.delete(name);
  }

  /** Names of descriptors of devices, by their place on the PCI bus. */
  get openDevices(): readonly string[] {
    return [...this.#fds.keys()].filter((name) => /^[0-9a-f]{4}:/.test(name));
  }

  open(path: string): number {
    return this.#machine.vfio.open(this.process, path);
  }

  /** An eventfd `e0`, made on first use; a path, opened; or a number as it is. */
  namedFd(name: unknown): number {
    if (typeof name === 'number') return name;
    const text = String(name).replace(/^fd /, '');
    if (/^-?\d+$/.test(text)) return Number(text);
    const known = this.fd(text);
    if (known >= 0) return known;
    const file: OpenFile = text.startsWith('/') ? { path: text, release: () => undefined } : new EventFd();
    const fd = this.process.install(file);
    this.add(text, fd);
    return fd;
  }

  /** @throws LinuxError EAGAIN where nothing came */
  readEventFd(name: string): number {
    return this.process.eventFd(this.namedFd(name)).take();
  }

  /** `buf+0x1000`, or an address: its low and high word. */
  vaddr(input: JsonRecord): readonly [lo: number, hi: number] {
    const offset = /^buf\+(0x[0-9a-f]+)$/i.exec(input.string('vaddr'))?.[1];
    if (offset === undefined) return input.words('vaddr');
    const value = BUFFER + Number(offset);
    return [value % 2 ** 32, Math.floor(value / 2 ** 32)];
  }

  /** Puts memory where the recorder says that there was some; false where there is already. */
  place(vaddr: number, pages: number, { read, write }: { readonly read: boolean; readonly write: boolean }): boolean {
    if (this.process.mm.physOf(vaddr) !== undefined) return false;
    this.process.mm.mmap({ sizeBytes: pages * PAGE_BYTES, vaddr, protection: { read, write } });
    return true;
  }

  /** The next BAR is mapped there: the recorder names the address of one later. */
  expectBarAt(vaddr: number): void {
    this.#barAt = vaddr;
  }

  nextBarAt(): number | undefined {
    const at = this.#barAt;
    this.#barAt = undefined;
    return at;
  }

  /** A page for what calls point at, cleared. */
  scratch(): number {
    this.#scratch ??= this.process.mm.mmap({ sizeBytes: PAGE_BYTES });
    this.process.mm.write(this.#scratch, new Uint8Array(PAGE_BYTES));
    return this.#scratch;
  }

  /** Where a device's address leads in its memory; undefined where it is not mapped. */
  targetOf(iova: number): number | undefined {
    const found = this.#mapped.find((one) => iova >= one.iova && iova < one.iova + one.sizeBytes);
    return found && found.vaddr + (iova - found.iova);
  }

  /** After a MAP_DMA of the buffer that succeeded. */
  noteMapped(input: JsonRecord): void {
    const [lo, hi] = this.vaddr(input);
    const iova = input.address('iova');
    this.#mapped.push({ iova, sizeBytes: input.address('size'), vaddr: hi * 2 ** 32 + lo });
  }

  /** After an UNMAP_DMA that succeeded. */
  noteUnmapped(input: JsonRecord): void {
    const all = (input.integer('flags') & UNMAP_ALL) !== 0;
    const [low, high] = input.words('iova');
    const first = high * 2 ** 32 + low;
    const [sizeLow, sizeHigh] = input.words('size');
    const end = first + sizeHigh * 2 ** 32 + sizeLow;
    const kept = this.#mapped.filter(({ iova }) => !all && (iova < first || iova >= end));
    this.#mapped.splice(0, this.#mapped.length, ...kept);
  }

  exit(): void {
    this.process.exit();
  }
}
