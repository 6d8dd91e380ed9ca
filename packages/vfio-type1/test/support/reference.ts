// SPDX-License-Identifier: Apache-2.0
// The rules of the uapi for a small address space, page by page: what a container should answer and hold.

export interface ReferenceOptions {
  readonly v1: boolean;
  readonly user: boolean;
  readonly entryLimit: number;
  readonly memlockPages: number;
  /** Pages from here on are reserved under the SW_MSI policy. */
  readonly reservedFrom: number;
  readonly nrPages: number;
}

/** What the process may do with a page of its memory. */
export type Access = 'rw' | 'ro' | 'none';

interface Span {
  readonly first: number;
  readonly count: number;
}

interface Mapping extends Span {
  readonly write: boolean;
  readonly memory: number;
  hasAddress: boolean;
}

/** An errno by name, or a number of pages. */
export type Answer = string | number;

export class Reference {
  readonly #options: ReferenceOptions;
  readonly #accessOf: (page: number) => Access;
  #mappings: Mapping[] = [];
  window: Span | undefined;
  bound = false;

  constructor(options: ReferenceOptions, accessOf: (page: number) => Access) {
    this.#options = options;
    this.#accessOf = accessOf;
  }

  get lockedPages(): number {
    return this.#mappings.reduce((sum, { count }) => sum + count, 0);
  }

  get available(): number {
    return this.#options.entryLimit - this.#mappings.length;
  }

  /** The page of process memory that a page is mapped to, and whether it may be written. */
  at(page: number): { readonly memory: number; readonly write: boolean } | undefined {
    const mapping = this.#mappings.find((each) => inside(each, page));
    return mapping && { memory: mapping.memory + page - mapping.first, write: mapping.write };
  }

  map(span: Span, memory: number, write: boolean): Answer {
    if (span.count === 0) return 'EINVAL';
    if (this.#touched(span).length > 0) return 'EEXIST';
    if (this.available === 0) return 'ENOSPC';
    if (!this.#usable(span)) return 'EINVAL';
    for (let i = 0; i < span.count; i++) {
      const access = this.#accessOf(memory + i);
      if (access === 'none' || (write && access === 'ro')) return 'EFAULT';
      if (this.lockedPages + i + 1 > this.#options.memlockPages) return 'ENOMEM';
    }
    this.#mappings.push({ ...span, memory, write, hasAddress: true });
    return 0;
  }

  unmap(span: Span): Answer {
    const covered = this.#covered(span);
    if (typeof covered === 'string') return covered;
    return this.#remove(covered);
  }

  unmapAll(): Answer {
    return this.#remove([...this.#mappings, ...(this.window ? [this.window] : [])]);
  }

  invalidate(span: Span): Answer {
    if (this.#options.user) return 'EINVAL';
    const covered = this.#covered(span);
    if (typeof covered === 'string') return covered;
    const mappings = this.#mappings.filter((mapping) => covered.includes(mapping));
    if (mappings.some(({ hasAddress }) => !hasAddress)) return 'EINVAL';
    for (const mapping of mappings) mapping.hasAddress = false;
    return pages(mappings);
  }

  update(span: Span): Answer {
    if (span.count === 0) return 'EINVAL';
    const found = this.#mappings.find((mapping) => touch(mapping, span));
    if (!found) return 'ENOENT';
    // Of several the lowest is looked at, and it is not the whole range either.
    if (found.hasAddress || found.first !== span.first || found.count !== span.count) return 'EINVAL';
    found.hasAddress = true;
    return 0;
  }

  provide(span: Span): Answer {
    if (!this.#options.user || span.count === 0) return 'EINVAL';
    if (this.#touched(span).length > 0 || this.window) return 'EEXIST';
    if (!this.#usable(span)) return 'EINVAL';
    this.window = span;
    return 0;
  }

  bind(): Answer {
    if (this.bound) return 0;
    if (this.#options.user && !this.window) return 'EINVAL';
    this.bound = true;
    return 0;
  }

  #remove(spans: readonly Span[]): Answer {
    const takesWindow = this.window !== undefined && spans.includes(this.window);
    if (takesWindow && this.bound) return 'EBUSY';
    if (takesWindow) this.window = undefined;
    this.#mappings = this.#mappings.filter((mapping) => !spans.includes(mapping));
    return pages(spans);
  }

  /** What an unmap of the range takes. */
  #covered(span: Span): string | readonly Span[] {
    if (span.count === 0) return 'EINVAL';
    const touched = this.#touched(span).sort((a, b) => a.first - b.first);
    const cutsFirst = touched.length > 0 && touched[0].first < span.first;
    if (this.#options.v1) return cutsFirst ? [] : touched;
    const cuts = touched.some(({ first, count }) => first < span.first || first + count > span.first + span.count);
    return cuts ? 'EINVAL' : touched;
  }

  #touched(span: Span): Span[] {
    return [...this.#mappings, ...(this.window ? [this.window] : [])].filter((each) => touch(each, span));
  }

  #usable({ first, count }: Span): boolean {
    return this.#options.user || first + count <= this.#options.reservedFrom;
  }
}

function touch(a: Span, b: Span): boolean {
  return Array.from({ length: a.count }, (_, i) => a.first + i).some((page) => inside(b, page));
}

function inside({ first, count }: Span, page: number): boolean {
  return page >= first && page < first + count;
}

function pages(spans: readonly Span[]): number {
  return spans.reduce((sum, { count }) => sum + count, 0);
}
