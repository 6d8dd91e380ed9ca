// SPDX-License-Identifier: Apache-2.0
// The LPIs of one GIC, whichever ITS they come through: their INTIDs, configuration and pending tables, and how many each
// processor has. IHI 0069, section 5.1.

import { alignUp } from '@irqkit/bits';
import { LinuxError } from '@irqkit/core';
import type { CpuPort, DmaBuffer, HostLog, Redistributor, Redistributors, OwnedMemory } from '@irqkit/core';
import { FIRST_LPI } from '../regs.js';
import { LPI_CONFIG } from './gicr-regs.js';
import { LpiSpace } from './lpi-space.js';
import { areLpisEnabled, disableLpis, enableLpis } from './redistributor-lpis.js';

/** @linux ITS_MAX_LPI_NRBITS */
const MAX_ID_BITS = 16;
/** INTIDs of 14 bits are the first that leave room for LPIs. */
const MIN_ID_BITS = 14;
/** The pending table's alignment. @linux LPI_PROPBASE_SZ, LPI_PENDBASE_SZ */
const TABLE_STEP = 0x1_0000;
/** @linux LPI_PROP_DEFAULT_PRIO */
const PRIORITY = 0xa0;

export interface GicLpisParts {
  /** The node in messages. */
  readonly path: string;
  readonly memory: OwnedMemory;
  readonly cpus: CpuPort;
  readonly log: HostLog;
  readonly redistributors: Redistributors;
}

export class GicLpis {
  readonly space: LpiSpace;
  /** How many LPIs each processor has. @linux cpu_lpi_count */
  readonly load: number[];
  readonly #parts: GicLpisParts;
  readonly #idBits: number;
  readonly #config: DmaBuffer;
  readonly #pending: readonly DmaBuffer[];
  readonly #enabled = new Set<Redistributor>();

  /** @throws LinuxError ENXIO for a GIC without LPIs, ENOMEM @linux allocate_lpi_tables */
  constructor(parts: GicLpisParts) {
    const { path, memory, redistributors } = parts;
    this.#idBits = Math.min(redistributors.idBits, MAX_ID_BITS);
    if (!redistributors.hasLpis || this.#idBits < MIN_ID_BITS)
      throw new LinuxError('ENXIO', `${path}: the redistributors have no LPIs`);
    this.#parts = parts;
    // UNIMP: fewer LPIs than INTIDs for them (GICD_TYPER.num_LPIs)
    this.space = new LpiSpace(this.#idBits);
    this.load = redistributors.byCpu.map(() => 0);
    this.#config = memory.alloc(alignUp(2 ** this.#idBits, TABLE_STEP), TABLE_STEP, 'the LPI configuration table');
    this.#config.bytes.fill(LPI_CONFIG.RES1.set(PRIORITY, 1));
    const pendingBytes = alignUp(2 ** this.#idBits / 8, TABLE_STEP);
    this.#pending = redistributors.byCpu.map(({ cpu }) =>
      memory.alloc(pendingBytes, TABLE_STEP, `the LPI pending table of CPU ${cpu}`),
    );
  }

  /** Has the redistributor of `cpu` take LPIs; once is enough. @throws LinuxError ETIMEDOUT, EBUSY @linux its_cpu_init */
  enable(cpu: number): void {
    const { cpus, log, path, redistributors } = this.#parts;
    const redistributor = redistributors.byCpu[cpu];
    if (this.#enabled.has(redistributor)) return;
    cpus.runOn(cpu, () => {
      // UNIMP: LPI tables that firmware left in use
      if (areLpisEnabled(redistributor)) {
        log.warn(`${path}: the LPIs of CPU ${cpu} were enabled already`);
        disableLpis(path, redistributor);
      }
      enableLpis(redistributor, {
        config: this.#config.base,
        pending: this.#pending[cpu].base,
        idBits: this.#idBits,
      });
    });
    this.#enabled.add(redistributor);
  }

  /**
   * Has every redistributor forget its tables and frees them.
   * CHOICE: where EnableLPIs cannot go back to 0, all tables stay allocated: the redistributor goes on using them.
   */
  release(): void {
    const { cpus, log, memory, path } = this.#parts;
    try {
      for (const redistributor of this.#enabled) cpus.runOn(redistributor.cpu, () => disableLpis(path, redistributor));
      memory.freeAll();
    } catch (error) {
      if (!LinuxError.is(error)) throw error;
      log.warn(`${error.message}: ${memory.sizeBytes} bytes of LPI tables stay allocated`);
    }
  }

  /** The configuration byte alone: redistributors see it at the next INV. Returns whether that changed it. */
  configure(intid: number, enabled: boolean): boolean {
    const at = intid - FIRST_LPI;
    const before = this.#config.bytes[at];
    this.#config.bytes[at] = LPI_CONFIG.Enable.set(before, enabled ? 1 : 0);
    return before !== this.#config.bytes[at];
  }

  /** The processor of `cpus` with the fewest LPIs, the lowest of them; -1 for none. @linux cpumask_pick_least_loaded */
  leastLoaded(cpus: readonly number[]): number {
    return cpus.reduce((best, cpu) => (best < 0 || this.load[cpu] < this.load[best] ? cpu : best), -1);
  }
}
