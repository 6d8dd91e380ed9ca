// SPDX-License-Identifier: Apache-2.0

import pc from 'picocolors';
import type { CliIo } from '../../io.js';
import { part, table } from '../../print/table.js';
import type { DoorbellReport, ForgedMessage, HostBridge, JourneyReport, TopologyNode } from './journey-report.js';

export function printJourney(io: CliIo, platform: string, report: JourneyReport): string {
  const { compatible, nrCpus, warnings } = report;
  const parts = [
    `${platform}: ${compatible.join(', ')}, ${nrCpus} processor${nrCpus === 1 ? '' : 's'}\n`,
    part(io, 'Topology', report.hosts.map((host) => topology(io, host)).join('\n')),
    part(io, 'Messages', messages(io, report)),
    ...(report.devices.some(({ iommu }) => iommu) ? [part(io, 'Translation', translation(io, report))] : []),
    part(io, 'Doorbells', doorbells(io, report)),
    part(io, '/proc/interrupts', report.procInterrupts),
  ];
  if (warnings.length > 0) parts.push(part(io, 'Warnings', warnings.join('\n')));
  parts.push(summary(io, report));
  return parts.join('\n');
}

function topology(io: CliIo, host: HostBridge): string {
  const { bold, dim } = pc.createColors(io.color);
  const [tee, elbow, trunk] = io.terminal ? ['├─', '└─', '│  '] : ['|-', '`-', '|  '];
  const lines = [`${bold(host.path)}  PCI domain ${host.domain}`];
  const walk = (nodes: readonly TopologyNode[], indent: string): void =>
    nodes.forEach((node, index) => {
      const isLast = index === nodes.length - 1;
      const identity = `${hex(node.vendorId, 4)}:${hex(node.deviceId, 4)} ${kindOf(node)}`;
      const route = node.msiController
        ? `requester ${hex(node.requesterId, 4)} -> id ${hex(node.msiDeviceId, 4)} at ${node.msiController}`
        : `requester ${hex(node.requesterId, 4)}, no MSI controller`;
      lines.push(`${indent}${isLast ? elbow : tee} ${bold(node.name)}  ${identity}  ${dim(route)}`);
      walk(node.behind, `${indent}${isLast ? '   ' : trunk}`);
    });
  walk(host.functions, '');
  return lines.join('\n');
}

/** Arm IHI 0069, section 2.2: INTIDs from here on are LPIs. */
const FIRST_LPI = 8192;

/** Base class and sub-class, as the PCI Code and ID Assignment Specification names them. */
const KINDS: Readonly<Record<number, string>> = {
  0x00ff: 'other',
  0x0100: 'SCSI',
  0x0108: 'NVM',
  0x0200: 'Ethernet',
  0x0600: 'host bridge',
  0x0604: 'PCI bridge',
};

function kindOf({ classCode }: TopologyNode): string {
  return KINDS[Math.floor(classCode / 256)] ?? `class ${hex(classCode, 6)}`;
}

function messages(io: CliIo, { devices }: JourneyReport): string {
  const { yellow } = pc.createColors(io.color);
  const rows = devices.flatMap(({ name, mode, blocks, vectors }) =>
    blocks.map(({ firstVector, nrVectors, address, deviceId, firstData, firstIntid }) => [
      name,
      mode,
      range(firstVector, nrVectors, String),
      `0x${address.toString(16)}`,
      `0x${deviceId.toString(16)}`,
      range(firstData, nrVectors, (data) => `0x${data.toString(16)}`),
      `${firstIntid < FIRST_LPI ? 'SPI' : 'LPI'} ${range(firstIntid, nrVectors, String)}`,
      vectors.slice(firstVector, firstVector + nrVectors).filter(({ delivered }) => delivered === 1).length,
    ]),
  );
  const troubles = devices.flatMap(({ name, trouble }) => (trouble ? [yellow(`${name}: ${trouble}`)] : []));
  return [
    table(io, ['device', 'mode', 'vectors', 'address', 'DeviceID', 'data', 'interrupts', 'delivered'], rows),
    ...troubles,
  ].join('\n');
}

function translation(io: CliIo, { devices, forged }: JourneyReport): string {
  const { green, red } = pc.createColors(io.color);
  const rows = devices.map(({ name, iommu }) =>
    iommu
      ? [
          name,
          iommu.path,
          iommu.streamIds.map((id) => `0x${id.toString(16)}`).join(', '),
          iommu.group,
          iommu.domainType,
          iommu.doorbells.map(({ iova, pa }) => `0x${iova.toString(16)} -> 0x${pa.toString(16)}`).join(', ') ||
            'untranslated',
        ]
      : [name, 'none', '', '', '', 'untranslated'],
  );
  return [
    table(io, ['device', 'IOMMU', 'StreamID', 'group', 'domain', 'doorbell'], rows),
    ...(forged ? [(forged.arrived ? red : green)(forgery(forged))] : []),
  ].join('\n');
}

function forgery({ device, address, arrived, faults }: ForgedMessage): string {
  const records = faults.length > 0 ? faults.join('\n') : 'no event was recorded';
  return `${device} writes to 0x${address.toString(16)}, the doorbell's own address: ${arrived ? 'not stopped' : 'stopped'}\n${records}`;
}

function doorbells(io: CliIo, { doorbells: all, totalPages, safe }: JourneyReport): string {
  const { green, yellow } = pc.createColors(io.color);
  const rows = all.map((doorbell) => [nameOf(doorbell), doorbell.sizeBytes, doorbell.pages, doorbell.isolated]);
  const open = all.filter(({ isolated }) => !isolated).map(nameOf);
  const verdict = safe
    ? green('safe: every doorbell tells devices apart')
    : yellow(`unsafe: any device can raise any interrupt of doorbell ${open.join(', ')}`);
  return [
    table(io, ['doorbell', 'bytes', 'pages', 'isolated'], rows),
    `pages of 4 KiB in all: ${totalPages}; ${verdict}`,
  ].join('\n');
}

function nameOf({ bases }: DoorbellReport): string {
  const [first, ...others] = bases.map((base) => `0x${base.toString(16)}`);
  return others.length > 0 ? `${first} and ${others.length} more, one for each processor` : first;
}

function summary(io: CliIo, { vectorsEnabled, vectorsDelivered, ok }: JourneyReport): string {
  const { bold, green, red } = pc.createColors(io.color);
  const line = `${vectorsEnabled} vectors enabled, ${vectorsDelivered} delivered`;
  return `${bold(ok ? green(line) : red(line))}\n`;
}

function range(first: number, count: number, show: (value: number) => string): string {
  return count === 1 ? show(first) : `${show(first)}-${show(first + count - 1)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
