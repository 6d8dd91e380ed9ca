// SPDX-License-Identifier: Apache-2.0
// What a GIC's node says without a machine.
import { devicetree } from '@irqkit/conformance';
import type { DevicetreeNode } from '@irqkit/conformance';
import { gicV2Description } from '@irqkit/gic-v2';

const complete: DevicetreeNode = {
  compatible: 'arm,gic-400',
  reg: [0x800_0000, 0x1000, 0x801_0000, 0x2000],
  'interrupt-controller': true,
  '#interrupt-cells': 3,
};

function rules(properties: DevicetreeNode): readonly string[] | undefined {
  const tree = devicetree({ '#address-cells': 1, '#size-cells': 1, 'intc@8000000': { ...complete, ...properties } });
  return gicV2Description.check?.(tree.nodes[1]).map(({ rule }) => rule);
}

it('finds nothing wrong with a complete node', () => {
  expect(rules({})).toEqual([]);
});

it('finds what keeps anything from being wired to it, and frames that are missing or short', () => {
  expect(rules({ '#interrupt-cells': 2 })).toEqual(['gic-v2-cells']);
  expect(rules({ reg: [0x800_0000, 0x1000] })).toEqual(['gic-v2-frames']);
  expect(rules({ reg: [0x800_0000, 0x1000, 0x801_0000, 0x1000] })).toEqual(['gic-v2-dir']);
});
