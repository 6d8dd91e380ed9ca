// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import {
  addr,
  alignDown,
  alignUp,
  field,
  hex,
  highWord,
  isPowerOfTwo,
  lowWord,
  overlaps,
  pageOf,
  pagesTouched,
  word,
} from '@irqkit/bits';

describe('field', () => {
  it('reads and replaces the bits as printed', () => {
    const ttf = field(3, 2);
    expect(ttf(0b1011)).toBe(2);
    expect(ttf.set(0, 3)).toBe(0b1100);
    expect(ttf.set(0xffff_ffff, 0)).toBe(0xffff_fff3);
    expect(ttf.mask).toBe(0xc);
  });

  it('keeps a full-width field and bit 31 unsigned', () => {
    expect(field(31, 0)(0xffff_ffff)).toBe(0xffff_ffff);
    expect(field(31)(0x8000_0000)).toBe(1);
    expect(field(31).set(0, 1)).toBe(0x8000_0000);
    expect(field(31, 0).mask).toBe(0xffff_ffff);
  });

  it('drops what does not fit', () => {
    expect(field(5, 4).set(0, 0b111)).toBe(0b110000);
  });

  it.each([
    [32, 0],
    [0, 1],
    [1, -1],
    [1.5, 0],
  ])('refuses [%d:%d]', (hi, lo) => {
    expect(() => field(hi, lo)).toThrow(RangeError);
  });

  it('agrees with BigInt arithmetic on every range', () => {
    const range = fc.tuple(fc.integer({ min: 0, max: 31 }), fc.integer({ min: 0, max: 31 }));
    const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(range, u32, u32, ([a, b], value, content) => {
        const [hi, lo] = a > b ? [a, b] : [b, a];
        const f = field(hi, lo);
        const mask = ((1n << BigInt(hi - lo + 1)) - 1n) << BigInt(lo);
        expect(f(value)).toBe(Number((BigInt(value) & mask) >> BigInt(lo)));
        expect(f.set(value, content)).toBe(
          Number((BigInt(value) & ~mask & 0xffff_ffffn) | ((BigInt(content) << BigInt(lo)) & mask)),
        );
      }),
    );
  });
});

describe('word', () => {
  it('counts bits through the structure', () => {
    const words = new Uint32Array(8);
    const vmid = word(143, 128);
    vmid.put(words, 0x1_abcd);
    expect(words[4]).toBe(0xabcd);
    expect(vmid(words)).toBe(0xabcd);
    word(63, 59).put(words, 0x1f);
    expect(words[1]).toBe(0xf800_0000);
  });

  it('refuses a field across two words', () => {
    expect(() => word(32, 31)).toThrow(RangeError);
  });
});

describe('addr', () => {
  it('reads and writes in place, leaving the other bits', () => {
    const words = Uint32Array.of(0x3f, 0xfff0_0000);
    const pointer = addr(51, 6);
    pointer.put(words, 0xf_1234_5678_9ac0);
    expect(Array.from(words)).toEqual([0x5678_9aff, 0xffff_1234]);
    expect(pointer(words)).toBe(0xf_1234_5678_9ac0);
  });

  it('lies in a later doubleword', () => {
    const words = new Uint32Array(8);
    addr(243, 196).put(words, 0x8_0000_0010);
    expect(words[6]).toBe(0x10);
    expect(words[7]).toBe(8);
    expect(addr(243, 196)(words)).toBe(0x8_0000_0010);
  });

  it.each([
    [52, 0],
    [64, 12],
    [5, 6],
  ])('refuses [%d:%d]', (hi, lo) => {
    expect(() => addr(hi, lo)).toThrow(RangeError);
  });

  it('agrees with BigInt arithmetic', () => {
    const range = fc.tuple(fc.integer({ min: 0, max: 51 }), fc.integer({ min: 0, max: 51 }));
    fc.assert(
      fc.property(range, fc.bigInt({ min: 0n, max: 2n ** 52n - 1n }), ([a, b], value) => {
        const [hi, lo] = a > b ? [a, b] : [b, a];
        const mask = ((1n << BigInt(hi - lo + 1)) - 1n) << BigInt(lo);
        const words = new Uint32Array(2);
        addr(hi, lo).put(words, Number(value));
        expect(addr(hi, lo)(words)).toBe(Number(value & mask));
      }),
    );
  });
});

describe('addresses', () => {
  it('aligns beyond 32 bits', () => {
    expect(alignDown(0x12_3456_7890, 0x1000)).toBe(0x12_3456_7000);
    expect(alignUp(0x12_3456_7890, 0x1000)).toBe(0x12_3456_8000);
    expect(alignUp(0x1000, 0x1000)).toBe(0x1000);
    expect(highWord(0x12_3456_7890)).toBe(0x12);
    expect(lowWord(0x12_f456_7890)).toBe(0xf456_7890);
  });

  it('counts touched pages with the offset', () => {
    expect(pagesTouched(0xffe, 4, 12)).toBe(2);
    expect(pagesTouched(0x8020040, 4, 12)).toBe(1);
    expect(pagesTouched(0x8020040, 0, 12)).toBe(0);
    expect(pageOf(0x80_0000_1fff, 12)).toBe(0x800_0001);
  });

  it('knows overlap from touching', () => {
    expect(overlaps(0, 4, 4, 4)).toBe(false);
    expect(overlaps(0, 5, 4, 4)).toBe(true);
  });

  it('knows powers of two up to 2^52', () => {
    expect([0, 1, 3, 2 ** 40, 2 ** 40 + 1].map(isPowerOfTwo)).toEqual([false, true, false, true, false]);
  });

  it('prints as the kernel does', () => {
    expect(hex(0x8020040)).toBe('0x8020040');
    expect(hex(7, 4)).toBe('0x0007');
  });
});
