// SPDX-License-Identifier: Apache-2.0
// Injection tokens, one for each member of the probe and the model context. They are global symbols with the API's major
// version, so that two installed copies of this package name the same thing.

import type { InjectionToken } from 'tsyringe';
import type { ModelContext, ProbeContext } from './host/contexts.js';

const token = <T>(name: string): InjectionToken<T> => Symbol.for(`@irqkit/core/1/${name}`);

/** The firmware node being probed or modelled. */
export const NODE = token<ProbeContext['node']>('NODE');
/** The whole context, for what has no token of its own. */
export const PROBE_CONTEXT = token<ProbeContext>('PROBE_CONTEXT');
export const BUS = token<ProbeContext['bus']>('BUS');
export const DEVRES = token<ProbeContext['devres']>('DEVRES');
export const IRQS = token<ProbeContext['irqs']>('IRQS');
export const DOORBELLS = token<ProbeContext['doorbells']>('DOORBELLS');
export const IOMMUS = token<ProbeContext['iommus']>('IOMMUS');
export const DEVICES = token<ProbeContext['devices']>('DEVICES');
export const LOG = token<ProbeContext['log']>('LOG');

export const MODEL_CONTEXT = token<ModelContext>('MODEL_CONTEXT');
export const SILICON = token<ModelContext['silicon']>('SILICON');
export const DMA = token<ModelContext['dma']>('DMA');
export const CPU_IRQS = token<ModelContext['cpuIrqs']>('CPU_IRQS');
export const INTERRUPTS = token<ModelContext['interrupts']>('INTERRUPTS');
export const INTERRUPT_PARENT = token<ModelContext['interruptParent']>('INTERRUPT_PARENT');
export const DMA_PORTS = token<ModelContext['ports']>('DMA_PORTS');
export const PLUGGED = token<ModelContext['plugged']>('PLUGGED');
export const MODEL_LOG = token<ModelContext['log']>('MODEL_LOG');
