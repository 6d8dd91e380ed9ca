// SPDX-License-Identifier: Apache-2.0
// What becomes of every SMMUv1 and SMMUv2 of a devicetree, and of the masters that the tree describes, on a board with the
// plugins' default silicon.

import { hex, overlaps } from '@irqkit/bits';
import { createBoard } from '@irqkit/board';
import { LinuxError, createHost, physAddr } from '@irqkit/core';
import type { Device, Firmware, FirmwareNode, Host, MappedId, Plugin, Silicon } from '@irqkit/core';
import { firmwareFromFdt, parseFdt } from '@irqkit/fdt';
import type { FdtNode } from '@irqkit/fdt';
import { gicV2 } from '@irqkit/gic-v2';
import { VIRT_SILICON, gicV3 } from '@irqkit/gic-v3';
import { SmmuV2Driver, smmuV2 } from '@irqkit/smmu-v2';

const PLUGINS = [gicV2, gicV3, smmuV2];
const compatiblesOf = ({ models = [] }: Plugin): Set<string> => new Set(models.flatMap(({ compatible }) => compatible));
const SMMUS = compatiblesOf(smmuV2);
/** As many SPIs as there can be: SoCs have more than the GICs' default, QEMU's. GICD_TYPER.ITLinesNumber is [4:0]. */
const GICS: readonly (readonly [compatibles: Set<string>, silicon: Silicon])[] = [
  [compatiblesOf(gicV2), { nrIrqs: 1020 }],
  [compatiblesOf(gicV3), { GICD_TYPER: (VIRT_SILICON.GICD_TYPER & ~0x1f) | 0x1f }],
];
/** Where boot loaders say how much memory there is, so much is taken. */
const RAM_BYTES = 0x1000_0000;

/** A node that `iommus` or a row of `iommu-map` puts behind an SMMU. */
export interface SurveyedMaster {
  readonly name: string;
  readonly ids: readonly MappedId[];
}

export interface SurveyedSmmu {
  readonly path: string;
  readonly compatible: string;
  /** In the tree as it is; it is surveyed whether it is or not. */
  readonly enabled: boolean;
  readonly stages: string;
  readonly banks: number;
  /** Stream entries in use once all masters were taken in, of how many there are. */
  readonly entries: readonly [used: number, all: number];
  readonly nrMasters: number;
  readonly nrGroups: number;
  /** Masters that did not get their stream entries, and why. */
  readonly conflicts: readonly string[];
  /** Masters that got a translated domain, too. */
  readonly nrTranslated: number;
}

export interface SurveyedTree {
  readonly smmus: readonly SurveyedSmmu[];
  /** Warnings of probing, and what the models said of it. */
  readonly messages: readonly string[];
}

/** @throws what createBoard and createHost throw */
export function surveyTree(blob: Uint8Array): SurveyedTree {
  const firmware = withMemory(firmwareFromFdt(enabled(blob)));
  const asItIs = firmwareFromFdt(blob);
  const identity = takeIn(firmware, true);
  const translated = takeIn(firmware, false);
  const smmus = identity.smmus.map((smmu, i) => ({
    path: smmu.node.path,
    compatible: smmu.node.compatible.join(' '),
    enabled: asItIs.find(smmu.node.path)?.available ?? false,
    stages: smmu.stages,
    banks: smmu.banks,
    entries: smmu.entries,
    nrMasters: smmu.nrMasters,
    nrGroups: smmu.nrGroups,
    conflicts: smmu.conflicts,
    nrTranslated: translated.smmus[i].nrMasters - translated.smmus[i].conflicts.length,
  }));
  return { smmus, messages: identity.messages };
}

type TakenSmmu = Omit<SurveyedSmmu, 'path' | 'compatible' | 'enabled' | 'nrTranslated'> & {
  readonly node: FirmwareNode;
};

function takeIn(
  firmware: Firmware,
  passthrough: boolean,
): { smmus: readonly TakenSmmu[]; messages: readonly string[] } {
  const board = createBoard({ firmware, plugins: PLUGINS, silicon: gicSilicon(firmware) });
  const host = createHost({ firmware, plugins: PLUGINS, bus: board.bus, iommu: { passthrough } });
  const messages = [...host.log.warnings, ...board.log.entries.map(({ path, message }) => `${path}: ${message}`)];
  const smmus = host.drivers.flatMap(({ node, instance }) =>
    instance instanceof SmmuV2Driver ? [takeInAll(host, node, instance, mastersOf(firmware, node))] : [],
  );
  host.teardown();
  board.dispose();
  return { smmus, messages };
}

function takeInAll(
  { iommus }: Host,
  node: FirmwareNode,
  driver: SmmuV2Driver,
  masters: readonly SurveyedMaster[],
): TakenSmmu {
  const before = iommus.groups.length;
  const conflicts = masters.flatMap((master) => {
    if (master.ids.length === 0) return [`${master.name}: no id: firmware is to fill the map in`];
    try {
      iommus.dmaConfigure(deviceOf(master));
      return [];
    } catch (error) {
      if (!LinuxError.is(error)) throw error;
      return [error.message];
    }
  });
  const { stage1, stage2, nrContextBanks } = driver.features;
  return {
    node,
    stages: [...(stage1 ? ['1'] : []), ...(stage2 ? ['2'] : [])].join('+'),
    banks: nrContextBanks,
    entries: driver.streamMatches.usage,
    nrMasters: masters.length,
    nrGroups: iommus.groups.length - before,
    conflicts,
  };
}

/** Of the GICs of a SoC. */
export function gicSilicon({ nodes }: Firmware): Readonly<Record<string, Silicon>> {
  const found = nodes.flatMap(({ path, compatible }) =>
    GICS.flatMap(([compatibles, silicon]) =>
      compatible.some((each) => compatibles.has(each)) ? [[path, silicon] as const] : [],
    ),
  );
  return Object.fromEntries(found);
}

/** In the order of the tree; disabled ones, too. */
export function mastersOf({ nodes }: Firmware, smmu: FirmwareNode): readonly SurveyedMaster[] {
  return nodes.flatMap((node) => {
    const own = node.iommus.filter(({ controller }) => controller === smmu);
    return [...(own.length > 0 ? [{ name: node.path, ids: own }] : []), ...mappedBy(node, smmu)];
  });
}

/** One master for each row of `iommu-map`: the first RequesterID. */
function mappedBy(node: FirmwareNode, smmu: FirmwareNode): readonly SurveyedMaster[] {
  const cells = node.u32s('iommu-map') ?? [];
  const masters: SurveyedMaster[] = [];
  for (let row = 0; row + 4 <= cells.length; row += 4) {
    if (cells[row + 1] !== smmu.phandle) continue;
    const mapped = node.mapId('iommu', cells[row]);
    masters.push({ name: `${node.path} RequesterID ${hex(cells[row])}`, ids: mapped ? [mapped] : [] });
  }
  return masters;
}

function deviceOf({ name, ids }: SurveyedMaster): Device {
  return {
    name,
    node: undefined,
    requesterId: 0,
    msiDeviceId: 0,
    msiDomain: undefined,
    iommuIds: ids,
    iommuGroup: undefined,
    msiTranslation: undefined,
    msiDescs: [],
  };
}

/** The tree with its SMMUs' `status` taken away. */
function enabled(blob: Uint8Array): ReturnType<typeof parseFdt> {
  const tree = parseFdt(blob);
  const enable = (node: FdtNode): FdtNode => ({
    ...node,
    properties: isSmmu(node) ? node.properties.filter(({ name }) => name !== 'status') : node.properties,
    children: node.children.map(enable),
  });
  return { ...tree, root: enable(tree.root) };
}

function isSmmu({ properties }: FdtNode): boolean {
  const compatible = properties.find(({ name }) => name === 'compatible');
  const strings = new TextDecoder().decode(compatible?.value).split('\0');
  return strings.some((each) => SMMUS.has(each));
}

/** Memory where firmware names some, or none and boot loaders do. */
export function withMemory(firmware: Firmware): Firmware {
  if (firmware.memory.some(({ sizeBytes }) => sizeBytes > 0)) return firmware;
  const frames = firmware.nodes.flatMap(({ regs }) => regs);
  let base = firmware.memory[0]?.base ?? physAddr(0x8000_0000);
  while (frames.some((frame) => overlaps(frame.base, frame.sizeBytes, base, RAM_BYTES)))
    base = physAddr(base + RAM_BYTES);
  const { root, nodes, cpus } = firmware;
  return {
    root,
    nodes,
    cpus,
    memory: [{ base, sizeBytes: RAM_BYTES }],
    find: (path) => firmware.find(path),
    byPhandle: (phandle) => firmware.byPhandle(phandle),
  };
}
