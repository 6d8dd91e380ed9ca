// SPDX-License-Identifier: Apache-2.0
// Functions of three MSI controllers behind one SMMU, and beside them what their bindings must be: counts kept by a Map.

import { LinuxError } from '@irqkit/core';
import type { IommuGroup, Iova, UserDomain } from '@irqkit/core';
import { doorOf } from './acme-doors.js';
import { PCIE, itsPlatform } from './its-platform.js';
import type { ItsFacts } from './its-platform.js';
import { DOORS, SMMU, behind, doorsNode, smmuNodes } from './smmu-platform.js';
import { SmmuSystem } from './smmu-system.js';

const NR_CPUS = 4;
const PAGE = 0x1000;
const FIRST_ITS: ItsFacts = { base: 0x808_0000, phandle: 2 };
const SECOND_ITS: ItsFacts = { base: 0x90a_0000, phandle: 3 };
const cpus = [...Array(NR_CPUS).keys()];

export const NR_VECTORS = 4;
/** As many pages as the doors alone have. */
const WINDOW = { base: 0x2000_0000, nrPages: NR_CPUS };

type Controller = 'first ITS' | 'second ITS' | 'doors';
/** What a processor's messages hit. */
const doorbell = (controller: Controller, cpu: number): number =>
  controller === 'doors' ? doorOf(DOORS.base, cpu) : controller === 'first ITS' ? 0x809_0040 : 0x90b_0040;

/** Functions, each with its group: two of one device without ACS share theirs. */
export const FUNCTIONS: readonly { readonly place: readonly [number, number]; readonly controller: Controller }[] = [
  { place: [1, 0], controller: 'first ITS' },
  { place: [2, 0], controller: 'second ITS' },
  { place: [3, 0], controller: 'doors' },
  { place: [3, 1], controller: 'first ITS' },
  { place: [4, 0], controller: 'doors' },
];
const NR_GROUPS = 4;
const GROUP_OF = [0, 1, 2, 2, 3];

export type Policy = 'user window' | 'SW_MSI';
export type Step =
  | { readonly kind: 'enable'; readonly which: number; readonly nr: number }
  | { readonly kind: 'disable'; readonly which: number }
  | { readonly kind: 'move'; readonly which: number; readonly vector: number; readonly cpu: number }
  | { readonly kind: 'attach'; readonly group: number; readonly policy: Policy }
  | { readonly kind: 'detach'; readonly group: number };

/** Users by doorbell page. */
type Counts = Map<number, number>;

export class BindingWorld {
  readonly system: SmmuSystem;
  readonly #groups: readonly IommuGroup[];
  readonly #domains = new Map<Policy, UserDomain>();
  /** By policy, or by group for DMA domains. */
  readonly #counts = new Map<Policy | number, Counts>();
  readonly #attached: (Policy | undefined)[] = Array<undefined>(NR_GROUPS).fill(undefined);
  /** The processor of each enabled vector, by function. */
  readonly #cpus: number[][] = FUNCTIONS.map(() => []);

  constructor() {
    const phandles = { 'first ITS': FIRST_ITS.phandle, 'second ITS': SECOND_ITS.phandle, doors: DOORS.phandle };
    const requesterId = ([device, fn]: readonly [number, number]): number => device * 8 + fn;
    const firmware = itsPlatform({
      nrCpus: NR_CPUS,
      itss: [FIRST_ITS, SECOND_ITS],
      msiMap: FUNCTIONS.flatMap(({ place, controller }) => {
        const id = requesterId(place);
        return [id, phandles[controller], id, 1];
      }),
      pcie: behind(SMMU),
      nodes: { ...smmuNodes(SMMU), ...doorsNode() },
    });
    const places = FUNCTIONS.map(({ place }) => place);
    this.system = new SmmuSystem({ firmware, pcie: PCIE, vectors: FUNCTIONS.map(() => NR_VECTORS), places });
    this.#groups = GROUP_OF.map((_, which) => this.system.devices[which].iommuGroup!).filter(
      (group, i, all) => all.indexOf(group) === i,
    );
    for (let group = 0; group < NR_GROUPS; group++) this.#counts.set(group, new Map());
  }

  /** Begins with two unmanaged domains of nothing. */
  begin(): void {
    const { iommus } = this.system.host;
    const window = iommus.allocDomain(this.#groups[0], 'unmanaged', { userWindow: true });
    window.userWindow!.provide(WINDOW.base as Iova, WINDOW.nrPages * PAGE);
    this.#domains.set('user window', window);
    this.#domains.set('SW_MSI', iommus.allocDomain(this.#groups[0], 'unmanaged'));
    this.#counts.set('user window', new Map()).set('SW_MSI', new Map());
  }

  /** Ends as it began: nothing is enabled, no group is elsewhere than in its DMA domain. */
  end(): void {
    FUNCTIONS.forEach((_, which) => this.step({ kind: 'disable', which }));
    this.#groups.forEach((_, group) => this.step({ kind: 'detach', group }));
    for (const domain of this.#domains.values()) domain.free();
    this.#domains.clear();
  }

  /** Takes a step that does, or fails, as the counts say. */
  step(step: Step): void {
    switch (step.kind) {
      case 'enable':
        return this.#enable(step.which, step.nr);
      case 'disable':
        return this.#disable(step.which);
      case 'move':
        return this.#move(step);
      case 'attach':
        return this.#attach(step.group, step.policy);
      case 'detach':
        return this.#detach(step.group);
    }
  }

  /** Bindings are exactly those counted, each vector's message is bound to its doorbell, and arrives once. */
  check(): void {
    const found = [...this.#counts].map(([key]) => {
      const { msiBindings } = this.#domainOf(key);
      return [key, [...msiBindings!.bindings].map(({ pa, users }) => [pa as number, users]).sort(byPage)];
    });
    expect(found).toEqual([...this.#counts].map(([key, counts]) => [key, [...counts].sort(byPage)]));
    this.#checkWindow();
    const expected: string[] = [];
    const seen = this.system.taken(() =>
      this.#cpus.forEach((own, which) => {
        own.forEach((cpu, vector) => {
          this.system.raise(which, vector);
          expected.push(`${which}.${vector}@${cpu}`);
        });
      }),
    );
    expect(seen).toEqual(expected);
    FUNCTIONS.forEach(({ controller }, which) => {
      const domain = this.#domainOf(this.#keyOf(which));
      const targets = this.system.messages(which).map(([address]) => domain.iovaToPhys(address as Iova));
      expect(targets).toEqual(this.#cpus[which].map((cpu) => doorbell(controller, cpu)));
    });
  }

  dispose(): void {
    this.system.host.teardown();
    this.system.board.dispose();
  }

  #enable(which: number, nr: number): void {
    if (this.#cpus[which].length > 0) return expectErrno('EINVAL', () => this.system.enable(which, nr));
    const counts = this.#counts.get(this.#keyOf(which))!;
    const pages = pagesOf(which);
    const nrNew = pages.filter((page) => !counts.has(page)).length;
    if (this.#keyOf(which) === 'user window' && counts.size + nrNew > WINDOW.nrPages)
      return expectErrno('ENOSPC', () => this.system.enable(which, nr));
    this.system.enable(which, nr);
    for (const page of pages) counts.set(page, (counts.get(page) ?? 0) + nr);
    const { irqs } = this.system.host;
    this.#cpus[which] = this.system.devices[which].msiDescs.map(
      ({ virq }) => irqs.irqData(virq).common.effectiveAffinity[0],
    );
  }

  #disable(which: number): void {
    const nr = this.#cpus[which].length;
    this.system.disable(which);
    this.#cpus[which] = [];
    const key = this.#keyOf(which);
    const counts = this.#counts.get(key)!;
    for (const page of pagesOf(which)) {
      if (nr === 0) continue;
      counts.set(page, counts.get(page)! - nr);
      if (key === 'user window' && counts.get(page) === 0) counts.delete(page);
    }
  }

  #move({ which, vector, cpu }: Step & { kind: 'move' }): void {
    if (vector >= this.#cpus[which].length) return;
    this.system.host.irqs.setAffinity(this.system.virq(which, vector), [cpu]);
    this.#cpus[which][vector] = cpu;
  }

  #attach(group: number, policy: Policy): void {
    const attach = (): void => this.system.host.iommus.attachGroup(this.#domains.get(policy)!, this.#groups[group]);
    if (this.#attached[group] || this.#isBusy(group)) return expectErrno('EBUSY', attach);
    attach();
    this.#attached[group] = policy;
  }

  #detach(group: number): void {
    const policy = this.#attached[group];
    if (!policy) return;
    const detach = (): void => this.system.host.iommus.detachGroup(this.#domains.get(policy)!, this.#groups[group]);
    if (this.#isBusy(group)) return expectErrno('EBUSY', detach);
    detach();
    this.#attached[group] = undefined;
  }

  /** In the window is mapped what is bound, and nothing else. */
  #checkWindow(): void {
    const domain = this.#domains.get('user window')!;
    const pages = Array.from({ length: WINDOW.nrPages }, (_, n) => domain.iovaToPhys((WINDOW.base + n * PAGE) as Iova));
    const mapped = pages.filter((pa) => pa !== undefined).sort((a, b) => a - b);
    expect(mapped).toEqual([...this.#counts.get('user window')!.keys()].sort((a, b) => a - b));
  }

  #isBusy(group: number): boolean {
    return this.#cpus.some((own, which) => GROUP_OF[which] === group && own.length > 0);
  }

  #keyOf(which: number): Policy | number {
    return this.#attached[GROUP_OF[which]] ?? GROUP_OF[which];
  }

  #domainOf(key: Policy | number) {
    if (typeof key !== 'number') return this.#domains.get(key)!;
    return this.system.host.iommus.defaultDomainOf(this.#groups[key]) as ReturnType<SmmuSystem['domain']>;
  }
}

function pagesOf(which: number): readonly number[] {
  const { controller } = FUNCTIONS[which];
  const pages = cpus.map((cpu) => doorbell(controller, cpu)).map((pa) => pa - (pa % PAGE));
  return [...new Set(pages)];
}

function byPage([a]: readonly number[], [b]: readonly number[]): number {
  return a - b;
}

function expectErrno(code: 'EINVAL' | 'ENOSPC' | 'EBUSY', work: () => unknown): void {
  let error: unknown;
  try {
    work();
  } catch (thrown) {
    error = thrown;
  }
  expect(LinuxError.is(error) ? error.code : 'nothing thrown').toBe(code);
}
