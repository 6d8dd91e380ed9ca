// SPDX-License-Identifier: Apache-2.0
// The state of every interrupt of a GICv2, in flat arrays of 32 interrupts a word. Arm IHI 0048B chapter 3.

/**
 * Word 0 (SGIs and PPIs) is banked: each CPU has its own *slot*, numbered by the CPU; the words of SPIs come after, shared by
 * all. Bit b of slot s has its byte-wide attributes at index s * 32 + b.
 */
export class Interrupts {
  readonly nrIrqs: number;
  readonly nrCpus: number;
  readonly nrWords: number;
  readonly enabled: Uint32Array;
  /** Edges, software's ISPENDR writes and SGIs not yet acknowledged. */
  readonly latched: Uint32Array;
  readonly active: Uint32Array;
  /** 1 for Group 1. */
  readonly group: Uint32Array;
  /** 1 for edge-triggered. */
  readonly edge: Uint32Array;
  /** Levels of the inputs. */
  readonly input: Uint32Array;
  readonly priority: Uint8Array;
  /** CPUs an SPI may go to, one bit each; a banked interrupt's own CPU. */
  readonly targets: Uint8Array;
  /** For SGI i pending on CPU c, at c * 16 + i: the CPUs that sent it. */
  readonly sgiSources: Uint8Array;

  constructor(nrIrqs: number, nrCpus: number) {
    this.nrIrqs = nrIrqs;
    this.nrCpus = nrCpus;
    this.nrWords = Math.ceil(nrIrqs / 32);
    const slots = nrCpus + this.nrWords - 1;
    this.enabled = new Uint32Array(slots);
    this.latched = new Uint32Array(slots);
    this.active = new Uint32Array(slots);
    this.group = new Uint32Array(slots);
    this.edge = new Uint32Array(slots);
    this.input = new Uint32Array(slots);
    this.priority = new Uint8Array(slots * 32);
    this.targets = new Uint8Array(slots * 32);
    this.sgiSources = new Uint8Array(nrCpus * 16);
    // A uniprocessor's SPIs have nowhere else to go: its GICD_ITARGETSR are RAZ/WI.
    if (nrCpus === 1) this.targets.fill(1);
    for (let cpu = 0; cpu < nrCpus; cpu++) {
      this.targets.fill(1 << cpu, cpu * 32, cpu * 32 + 32);
      // CHOICE: SGIs are permanently enabled, as in the GIC-400 and QEMU; GICD_ISENABLER leaves it open.
      this.enabled[cpu] = 0xffff;
      this.edge[cpu] = 0xffff;
    }
  }

  /** Where word `word` of `cpu`'s view is. */
  slot(cpu: number, word: number): number {
    return word === 0 ? cpu : this.nrCpus - 1 + word;
  }

  /** The index of an INTID's byte-wide attributes in `cpu`'s view. */
  index(cpu: number, intid: number): number {
    return this.slot(cpu, intid >>> 5) * 32 + (intid & 31);
  }

  /** Bits of `word` that stand for interrupts; the last word of 1020 is short. */
  implemented(word: number): number {
    const left = this.nrIrqs - word * 32;
    return left >= 32 ? 0xffff_ffff : left <= 0 ? 0 : 2 ** left - 1;
  }

  /** Pending bits: a level-sensitive input counts as long as it is asserted. IHI 0048B figure 4-10 */
  pending(slot: number): number {
    return (this.latched[slot] | (this.input[slot] & ~this.edge[slot])) >>> 0;
  }

  /** 0 or 1. */
  groupOf(cpu: number, intid: number): number {
    return (this.group[this.slot(cpu, intid >>> 5)] >>> (intid & 31)) & 1;
  }

  /** The arrays that make up the state, by name. */
  get arrays(): Readonly<Record<string, Uint8Array | Uint32Array>> {
    const { enabled, latched, active, group, edge, input, priority, targets, sgiSources } = this;
    return { enabled, latched, active, group, edge, input, priority, targets, sgiSources };
  }
}
