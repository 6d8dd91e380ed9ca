// SPDX-License-Identifier: Apache-2.0
// What firmware does not say of an ITS: profiles, and the model's reading of them.

import { highWord, lowWord } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { Silicon } from '@irqkit/core';
import { LAYOUTS } from './layouts.js';
import type { TableLayout } from './layouts.js';
import { GITS_BASER, GITS_BASER_TYPE, GITS_TYPER } from './regs.js';

/**
 * The ITS of QEMU's `virt`, as its registers read in a Linux 6.1 boot under QEMU 7.2 (shared data, replay/D): DeviceIDs,
 * EventIDs and collection IDs of 16 bits, interrupt translation entries of 12 bytes.
 */
export const VIRT_SILICON = {
  GITS_IIDR: 0x0000_043b,
  GITS_TYPER: 0x1f_0001_efb1,
  GITS_PIDR2: 0x3b,
  GITS_BASER0: 0x0107_0000_0000_0000,
  GITS_BASER1: 0x0407_0000_0000_0000,
} as const satisfies Silicon;

/** The same with interrupt translation entries of 8 bytes, hence tables in KVM's published layout. */
export const KVM_LAYOUT_SILICON = { ...VIRT_SILICON, GITS_TYPER: 0x1f_0001_ef71 } as const satisfies Silicon;

/** An ITS's parameters, checked and completed. Register values are pairs of words. */
export interface ItsParameters {
  readonly iidr: number;
  readonly typer: Uint32Array;
  readonly pidr2: number;
  /** GITS_BASER<n> after reset: Type and Entry_Size, and Page_Size where that cannot be written. */
  readonly basers: readonly Uint32Array[];
  readonly layout: TableLayout;
  readonly nrDeviceIds: number;
  readonly nrEventIds: number;
  readonly nrCollectionIds: number;
  /** Collections the ITS holds itself. */
  readonly nrHeldCollections: number;
  /** True where those come on top of the ones in memory. */
  readonly cumulativeCollections: boolean;
  /** True where an RDbase is an address. */
  readonly pta: boolean;
  readonly pageSizeWritable: boolean;
  /** True where the device table, and a collection table that is indexed, may have two levels. */
  readonly indirect: boolean;
  /** The bits of Shareability that stick. */
  readonly shareability: number;
  readonly stallOnError: boolean;
}

/**
 * Reads `GITS_IIDR`, `GITS_TYPER`, `GITS_PIDR2` and `GITS_BASER0` to `GITS_BASER7` as they read after reset. Beside them, none
 * of them a register: `Page_Size` (0-2: the only one of every GITS_BASER<n>), `Indirect` (0: flat tables only), `Shareability`
 * (the bits that stick, 3 for all) and `stallOnError` (1: a command error stalls the queue). What is missing is
 * KVM_LAYOUT_SILICON's.
 * @throws LinuxError EINVAL where no table layout has entries of these sizes.
 */
export function parametersOf(silicon: Silicon): ItsParameters {
  const values: Partial<Silicon> = { ...KVM_LAYOUT_SILICON, ...silicon };
  const typer = pairOf(values.GITS_TYPER ?? 0);
  const layout = layoutOf(GITS_TYPER.ITT_entry_size(typer) + 1);
  const basers = Array.from({ length: GITS_BASER.count }, (_, n) => {
    const baser = pairOf(values[`GITS_BASER${n}`] ?? 0);
    if (values.Page_Size !== undefined) GITS_BASER.Page_Size.put(baser, values.Page_Size);
    checkEntrySize(n, baser, layout);
    return baser;
  });
  return {
    iidr: values.GITS_IIDR ?? 0,
    typer,
    pidr2: values.GITS_PIDR2 ?? 0,
    basers,
    layout,
    nrDeviceIds: 2 ** (GITS_TYPER.Devbits(typer) + 1),
    nrEventIds: 2 ** (GITS_TYPER.ID_bits(typer) + 1),
    nrCollectionIds: GITS_TYPER.CIL(typer) ? 2 ** (GITS_TYPER.CIDbits(typer) + 1) : 2 ** 16,
    nrHeldCollections: GITS_TYPER.HCC(typer),
    cumulativeCollections: GITS_TYPER.CCT(typer) === 1,
    pta: GITS_TYPER.PTA(typer) === 1,
    pageSizeWritable: values.Page_Size === undefined,
    indirect: values.Indirect !== 0,
    shareability: values.Shareability ?? 3,
    stallOnError: values.stallOnError === 1,
  };
}

function pairOf(value: number): Uint32Array {
  return Uint32Array.of(lowWord(value), highWord(value));
}

function layoutOf(iteBytes: number): TableLayout {
  const layout = LAYOUTS.find((each) => each.ITE.bytes === iteBytes);
  if (layout === undefined) throw new LinuxError('EINVAL', `GITS_TYPER: no table layout has ITEs of ${iteBytes} bytes`);
  return layout;
}

function checkEntrySize(n: number, baser: Uint32Array, layout: TableLayout): void {
  const type = GITS_BASER.Type(baser);
  const wanted =
    type === GITS_BASER_TYPE.DEVICES
      ? layout.DTE.bytes
      : type === GITS_BASER_TYPE.COLLECTIONS
        ? layout.CTE.bytes
        : undefined;
  if (wanted === undefined || GITS_BASER.Entry_Size(baser) + 1 === wanted) return;
  throw new LinuxError('EINVAL', `GITS_BASER${n}: the ${layout.name} table layout has entries of ${wanted} bytes`);
}
