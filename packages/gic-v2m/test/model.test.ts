// SPDX-License-Identifier: Apache-2.0
// The model against accesses written by hand, each variant as its silicon reacts.
import * as fc from 'fast-check';
import type { AccessSize, InterruptControllerModel, Silicon } from '@irqkit/core';
import { GRAVITON_COMPATIBLE, GicV2mModel } from '@irqkit/gic-v2m';
import type { DevicetreeNode } from '@irqkit/conformance';
import { runs, seed } from '@irqkit-test/env';
import { frameNodes, frameTree, spis } from './frames.js';

const BY = { kind: 'device', cpu: -1, requesterId: 0x10, streamId: -1, deviceId: -1 } as const;

class BenchFrame {
  readonly model: GicV2mModel;
  /** INTIDs raised, in order. */
  readonly raised: number[] = [];
  readonly log: string[] = [];

  constructor(properties: DevicetreeNode = {}, silicon: Silicon = {}) {
    const parent = { sink: { setPending: (intid: number) => this.raised.push(intid) } };
    this.model = new GicV2mModel(
      frameNodes(frameTree([properties]))[0],
      silicon,
      parent as unknown as InterruptControllerModel,
      { guest: (format) => this.log.push(format), unimp: (format) => this.log.push(format) },
    );
  }

  read(offset: number, size: AccessSize = 4): number {
    return this.model.frames[0].read(offset, size, BY);
  }

  write(offset: number, value: number, size: AccessSize = 4): void {
    this.model.frames[0].write(offset, value, size, BY);
  }
}

it('reads as the frame of QEMU virt by default', () => {
  const frame = new BenchFrame();
  expect([0x008, 0xfcc, 0x040, 0x000].map((offset) => frame.read(offset))).toEqual([0x0050_0040, 0x0510_0000, 0, 0]);
});

it('raises the INTID that is written, within its SPIs', () => {
  const frame = new BenchFrame();
  for (const intid of [80, 143, 79, 144, 0, 1023]) frame.write(0x040, intid);
  expect(frame.raised).toEqual([80, 143]);
  expect(frame.log).toHaveLength(4);
});

it('looks at bits [9:0] only, takes halfwords, and no bytes', () => {
  const frame = new BenchFrame();
  frame.write(0x040, 0xffff_fc00 | 81);
  frame.write(0x040, 82, 2);
  frame.write(0x040, 83, 1);
  frame.write(0x044, 84);
  expect(frame.raised).toEqual([81, 82]);
});

it('serves the SPIs of the overrides, and still reads the wrong MSI_TYPER', () => {
  const frame = new BenchFrame(spis(160, 32));
  for (const intid of [80, 160, 191, 192]) frame.write(0x040, intid);
  expect([frame.raised, frame.read(0x008)]).toEqual([[160, 191], 0x0050_0040]);
});

it('apm-xgene counts the data from the first SPI', () => {
  const frame = new BenchFrame({}, { MSI_TYPER: 0x0040_0040, MSI_IIDR: 0x0600_0170 });
  for (const data of [0, 5, 63, 64, 100]) frame.write(0x040, data);
  expect(frame.raised).toEqual([64, 69, 127]);
});

it('brcm-ns2 counts the data from SPI 0', () => {
  const frame = new BenchFrame({}, { MSI_TYPER: 0x0040_0040, MSI_IIDR: 0x0000_013f });
  for (const data of [31, 32, 95, 96]) frame.write(0x040, data);
  expect(frame.raised).toEqual([64, 127]);
});

it('amazon-graviton raises by address, whatever the data, and has nothing to read', () => {
  const frame = new BenchFrame({ compatible: GRAVITON_COMPATIBLE, ...spis(64, 64) });
  const offsets = [(64 - 32) * 8, (127 - 32) * 8, (63 - 32) * 8, (128 - 32) * 8, (64 - 32) * 8 + 4, 0x2000];
  for (const offset of offsets) frame.write(offset, 0);
  expect(frame.raised).toEqual([64, 127]);
  expect([frame.read(0x008), frame.read(0xfcc)]).toEqual([0, 0]);
  expect(frame.log).toHaveLength(4);
});

it('never raises what is not its own, whatever is written where', () => {
  const write = fc.record({
    offset: fc.oneof(fc.constant(0x40), fc.nat(0x3000)),
    value: fc.nat(0xffff_ffff),
    size: fc.constantFrom(1 as const, 2 as const, 4 as const),
  });
  const variants: readonly (readonly [DevicetreeNode, Silicon])[] = [
    [{}, {}],
    [{}, { MSI_IIDR: 0x0600_0170 }],
    [{}, { MSI_IIDR: 0x0000_013f }],
    [{ compatible: GRAVITON_COMPATIBLE, ...spis(80, 64) }, {}],
  ];
  fc.assert(
    fc.property(fc.constantFrom(...variants), fc.array(write), ([properties, silicon], writes) => {
      const frame = new BenchFrame(properties, silicon);
      for (const { offset, value, size } of writes) {
        frame.write(offset, value, size);
        const read = frame.read(offset, size);
        expect(Number.isInteger(read) && read >= 0 && read <= 0xffff_ffff).toBe(true);
      }
      expect(frame.raised.filter((intid) => intid < 80 || intid > 143)).toEqual([]);
    }),
    { seed, numRuns: runs(200, 10_000) },
  );
});

it('saves its version, and refuses another with EINVAL', () => {
  const { model } = new BenchFrame();
  model.restore(structuredClone(model.save()));
  expect(model.save()).toEqual({ version: 1 });
  expect(() => model.restore({ version: 2 })).toThrow(/^\/intc@8000000\/v2m@8020000: .* \(EINVAL\)$/);
});
