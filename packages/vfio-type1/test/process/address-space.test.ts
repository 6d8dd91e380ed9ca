// SPDX-License-Identifier: Apache-2.0
// A process's memory: mapped ranges, what they allow, and what is pinned.

import { physAddr } from '@irqkit/core';
import { AddressSpace } from '@irqkit/vfio-type1';
import { FakeMemory } from '../support/fake-memory.js';
import { errnoOf } from '../support/session.js';

const PAGE = 0x1000;
const READ_ONLY = { read: true, write: false };
const NONE = { read: false, write: false };

function space() {
  const memory = new FakeMemory();
  return { memory, mm: new AddressSpace(memory) };
}

describe('mmap and munmap', () => {
  test('places go from low to high, and into holes', () => {
    const { mm } = space();
    const [a, b, c] = [1, 2, 1].map((nrPages) => mm.mmap({ sizeBytes: nrPages * PAGE }));
    expect([a, b, c]).toEqual([0x1_0000, 0x1_1000, 0x1_3000]);
    mm.munmap(b, 2 * PAGE);
    expect(mm.mmap({ sizeBytes: PAGE })).toBe(0x1_1000);
    expect(mm.mmap({ sizeBytes: 2 * PAGE })).toBe(0x1_4000);
  });

  test('huge pages are aligned here and in physical memory', () => {
    const { mm } = space();
    mm.mmap({ sizeBytes: PAGE });
    const at = mm.mmap({ sizeBytes: 0x40_0000, unitBytes: 0x20_0000 });
    expect([at % 0x20_0000, mm.physOf(at)! % 0x20_0000]).toEqual([0, 0]);
    expect(mm.pin(at, Infinity, true).sizeBytes).toBe(0x20_0000);
  });

  test.each([
    ['no size', { sizeBytes: 0 }, 'EINVAL'],
    ['half a page', { sizeBytes: 0x800 }, 'EINVAL'],
    ['a misaligned place', { sizeBytes: PAGE, vaddr: 0x2_0800 }, 'EINVAL'],
    ['the kernel’s half', { sizeBytes: 2 * PAGE, vaddr: 2 ** 48 - PAGE }, 'EINVAL'],
    ['a unit that does not fit', { sizeBytes: 3 * PAGE, unitBytes: 2 * PAGE }, 'EINVAL'],
    ['a place that is taken', { sizeBytes: 2 * PAGE, vaddr: 0xf000 }, 'EEXIST'],
  ])('%s is refused, with nothing taken', (_what, request, code) => {
    const { memory, mm } = space();
    mm.mmap({ sizeBytes: PAGE });
    expect(errnoOf(() => mm.mmap(request))).toBe(code);
    expect(memory.usedBytes).toBe(PAGE);
  });

  test('memory that runs out on the way is given back', () => {
    const { memory, mm } = space();
    memory.failIn = 2;
    expect(errnoOf(() => mm.mmap({ sizeBytes: 4 * PAGE, unitBytes: PAGE }))).toBe('ENOMEM');
    expect(memory.usedBytes).toBe(0);
    expect(mm.physOf(0x1_0000)).toBeUndefined();
  });

  test('a part goes, the rest and its memory stay; holes are no error', () => {
    const { memory, mm } = space();
    const at = mm.mmap({ sizeBytes: 4 * PAGE });
    const second = mm.physOf(at + PAGE);
    mm.munmap(at + 2 * PAGE, 4 * PAGE);
    expect(mm.physOf(at + PAGE)).toBe(second);
    expect(mm.physOf(at + 2 * PAGE)).toBeUndefined();
    expect(memory.usedBytes).toBe(4 * PAGE);
    mm.munmap(at, 2 * PAGE);
    expect(memory.usedBytes).toBe(0);
    expect(errnoOf(() => mm.munmap(at, 0))).toBe('EINVAL');
  });
});

describe('access', () => {
  test('loads and stores cross mappings, and end where one does not allow them', () => {
    const { mm } = space();
    const at = mm.mmap({ sizeBytes: 2 * PAGE, unitBytes: PAGE });
    mm.write(at + PAGE - 2, new Uint8Array([1, 2, 3, 4]));
    const read = new Uint8Array(4);
    mm.read(at + PAGE - 2, read);
    expect([...read]).toEqual([1, 2, 3, 4]);
    expect(errnoOf(() => mm.read(at + 2 * PAGE - 2, read))).toBe('EFAULT');
    mm.mprotect(at + PAGE, PAGE, READ_ONLY);
    expect(errnoOf(() => mm.write(at + PAGE - 2, new Uint8Array(4)))).toBe('EFAULT');
    mm.read(at + PAGE, read);
    expect([...read]).toEqual([3, 4, 0, 0]);
    mm.mprotect(at, PAGE, NONE);
    expect(errnoOf(() => mm.read(at, read))).toBe('EFAULT');
    expect(errnoOf(() => mm.mprotect(at, 3 * PAGE, READ_ONLY))).toBe('ENOMEM');
  });

  test('the kernel does not copy from device memory', () => {
    const { mm } = space();
    const at = mm.mapDevice({ base: physAddr(0x1060_0000), sizeBytes: PAGE }, { read: true, write: true });
    expect(errnoOf(() => mm.read(at, new Uint8Array(4)))).toBe('EFAULT');
  });
});

describe('pins', () => {
  test('a pin is as long as memory is contiguous and allows it', () => {
    const { memory, mm } = space();
    const at = mm.mmap({ sizeBytes: 2 * PAGE });
    memory.continueLast();
    mm.mmap({ vaddr: at + 2 * PAGE, sizeBytes: PAGE });
    mm.mmap({ vaddr: at + 3 * PAGE, sizeBytes: PAGE });
    expect(mm.pin(at, Infinity, true)).toMatchObject({ base: mm.physOf(at), sizeBytes: 3 * PAGE, reserved: false });
    expect(mm.pin(at + PAGE, PAGE, true).sizeBytes).toBe(PAGE);
    mm.mprotect(at + PAGE, PAGE, READ_ONLY);
    expect(mm.pin(at, Infinity, true).sizeBytes).toBe(PAGE);
    expect(mm.pin(at, Infinity, false).sizeBytes).toBe(3 * PAGE);
    expect(errnoOf(() => mm.pin(at + PAGE, PAGE, true))).toBe('EFAULT');
    expect(errnoOf(() => mm.pin(at + 4 * PAGE, PAGE, false))).toBe('EFAULT');
  });

  test('what is pinned outlives its mapping, and the process', () => {
    const { memory, mm } = space();
    const at = mm.mmap({ sizeBytes: 2 * PAGE });
    const [whole, page] = [mm.pin(at, Infinity, true), mm.pin(at, PAGE, false)];
    mm.exit();
    expect(memory.usedBytes).toBe(2 * PAGE);
    whole.unpin();
    expect(memory.usedBytes).toBe(2 * PAGE);
    page.unpin();
    expect(memory.usedBytes).toBe(0);
  });

  test('device memory is reserved, and does not join other memory', () => {
    const { mm } = space();
    const base = physAddr(0x4000_0000);
    const at = mm.mapDevice({ base, sizeBytes: PAGE }, { read: true, write: false });
    expect(mm.pin(at, Infinity, false)).toMatchObject({ base, sizeBytes: PAGE, reserved: true });
    expect(errnoOf(() => mm.pin(at, PAGE, true))).toBe('EFAULT');
  });
});
