// SPDX-License-Identifier: Apache-2.0
// What a GICv2's firmware node says by itself. Source: devicetree binding arm,gic.yaml (Linux 6.1).

import type { Description, Finding, FirmwareNode } from '@irqkit/core';

export const gicV2Description: Description = { check };

function check(node: FirmwareNode): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (rule: string, severity: Finding['severity'], property: string, message: string): void => {
    findings.push({ rule, severity, path: node.path, property, message });
  };
  if (!node.has('interrupt-controller'))
    add('gic-v2-controller', 'error', 'interrupt-controller', 'is missing: nothing can be wired to this GIC');
  const cells = node.u32('#interrupt-cells');
  if (cells !== 3) add('gic-v2-cells', 'error', '#interrupt-cells', `is ${cells ?? 'missing'}, a GICv2 takes 3`);
  if (node.regs.length < 2)
    add('gic-v2-frames', 'error', 'reg', 'must name the Distributor and the CPU interfaces, in this order');
  else if (node.regs[1].sizeBytes < 0x2000)
    add('gic-v2-dir', 'note', 'reg', 'the CPU interface is smaller than 8 KiB: GICC_DIR at 0x1000 is out of reach');
  return findings;
}
