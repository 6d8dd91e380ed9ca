// SPDX-License-Identifier: Apache-2.0
// An Interrupt Translation Service as hardware. Arm IHI 0069 (GICv3). Missing: virtual LPIs (GICv4), system error
// interrupts, reports of unmapped MSIs.

import { DMA, INTERRUPT_PARENT, LinuxError, MODEL_LOG, NODE, SILICON, inject, injectable } from '@irqkit/core';
import type {
  Dma,
  Doorbell,
  FirmwareNode,
  InterruptControllerModel,
  LpiSink,
  MmioModel,
  Model,
  ModelLog,
  Region,
  Silicon,
  State,
} from '@irqkit/core';
import { preItsOf } from '../description/pre-its.js';
import { GITS_TYPER } from '../regs.js';
import { parametersOf } from '../silicon.js';
import type { ItsParameters } from '../silicon.js';
import { Collections } from './collections.js';
import { CommandQueue } from './command-queue.js';
import { CommandSet } from './command-set.js';
import { Devices } from './devices.js';
import { ItsFrame } from './its-frame.js';
import { ItsRegisters } from './its-registers.js';
import { PreItsFrame } from './pre-its-frame.js';
import { Translation } from './translation.js';
import type { DropReason } from './translation.js';

const VERSION = 1;

/** What save() gives. Words of 64-bit registers are low then high. */
interface ItsState extends State {
  /** GITS_TYPER, two words: states of other silicon are refused. */
  readonly typer: Uint32Array;
  readonly enabled: boolean;
  /** GITS_CBASER in two words, then the low words of GITS_CWRITER and GITS_CREADR. */
  readonly queue: Uint32Array;
  readonly basers: Uint32Array;
  /** RDbase of the collections the ITS holds itself, -1 for the unmapped. */
  readonly collections: Float64Array;
}

/**
 * frames[0] is the control frame and, at 64 KiB, the translation frame. Devices are told apart by the `deviceId` of the
 * requester, or by the address where the node has a pre-ITS. Parameters in `silicon`: see parametersOf. What memory says
 * is the board's to save, what is pending is the redistributors'.
 */
@injectable()
export class ItsModel implements Model {
  readonly frames: readonly MmioModel[];
  readonly windows: readonly { readonly region: Region; readonly model: MmioModel }[];
  readonly #path: string;
  readonly #parameters: ItsParameters;
  readonly #collections: Collections;
  readonly #translation: Translation;
  readonly #doorbell: Doorbell;
  readonly #queue: CommandQueue;
  readonly #registers: ItsRegisters;

  constructor(
    @inject(NODE) node: FirmwareNode,
    @inject(SILICON) silicon: Silicon,
    @inject(DMA) dma: Dma,
    @inject(INTERRUPT_PARENT) parent: InterruptControllerModel,
    @inject(MODEL_LOG) log: ModelLog,
  ) {
    const parameters = parametersOf(silicon);
    const lpis = lpisOf(parent, node.path);
    const devices = new Devices(dma, parameters);
    reportGaps(parameters, log);
    this.#path = node.path;
    this.#parameters = parameters;
    this.#collections = new Collections(dma, parameters, lpis);
    this.#translation = new Translation(devices, this.#collections, lpis, log);
    const parts = { parameters, devices, collections: this.#collections, translation: this.#translation, lpis, log };
    const commands = new CommandSet(parts);
    this.#doorbell = this.#translation.doorbell;
    this.#queue = new CommandQueue(dma, commands, parameters, log);
    this.#registers = new ItsRegisters({ ...parts, queue: this.#queue });
    this.frames = [new ItsFrame(this.#registers, this.#translation, log)];
    const preIts = preItsOf(node);
    this.windows = preIts ? [{ region: preIts, model: new PreItsFrame(this.#translation, log) }] : [];
  }

  /** What a write of `eventId` to GITS_TRANSLATER does that comes with `deviceId`: for who knows both without a bus. */
  signal(deviceId: number, eventId: number): void {
    this.#doorbell.signal(deviceId, eventId);
  }

  /** How many interrupts reached nobody since the model was made, by the reason. */
  get dropped(): ReadonlyMap<DropReason, number> {
    return this.#translation.dropped;
  }

  /** Forgets what is known of the tables in memory. Changes nothing but the time that the next accesses take. */
  dropCaches(): void {
    this.#translation.dropAll();
    this.#collections.drop();
  }

  save(): State {
    return {
      version: VERSION,
      typer: this.#parameters.typer.slice(),
      enabled: this.#translation.enabled,
      queue: this.#queue.save(),
      basers: this.#registers.saveBasers(),
      collections: this.#collections.held.slice(),
    } satisfies ItsState;
  }

  /** @throws LinuxError EINVAL for a state of another version, or of another ITS. */
  restore(state: State): void {
    const saved = this.#checked(state);
    this.#translation.enabled = saved.enabled;
    this.#queue.restore(saved.queue);
    this.#registers.restoreBasers(saved.basers);
    this.#collections.held.set(saved.collections);
    this.dropCaches();
  }

  #checked(state: State): ItsState {
    const refuse = (what: string): never => {
      throw new LinuxError('EINVAL', `${this.#path}: cannot restore ${what}`);
    };
    if (state.version !== VERSION) refuse(`a state of version ${state.version}, this is ${VERSION}`);
    const { typer, enabled, queue, basers, collections } = state as Partial<ItsState>;
    if (typer?.length !== 2 || typer.some((word, i) => word !== this.#parameters.typer[i]))
      refuse('another GITS_TYPER');
    if (typeof enabled !== 'boolean') refuse('enabled');
    if (queue?.length !== 4) refuse('queue');
    if (basers?.length !== this.#parameters.basers.length * 2) refuse('basers');
    if (collections?.length !== this.#collections.held.length) refuse('collections');
    return state as ItsState;
  }
}

function lpisOf(parent: InterruptControllerModel, path: string): LpiSink {
  if ('lpis' in parent) return parent.lpis as LpiSink;
  throw new LinuxError('ENODEV', `${path}: the interrupt controller above has no redistributors`);
}

function reportGaps({ typer }: ItsParameters, log: ModelLog): void {
  // UNIMP: virtual LPIs
  if (GITS_TYPER.Virtual(typer)) log.unimp('GITS_TYPER.Virtual: commands of virtual LPIs do nothing');
  // UNIMP: system error interrupts
  if (GITS_TYPER.SEIS(typer)) log.unimp('GITS_TYPER.SEIS: command errors are in the log alone');
  // UNIMP: reports of unmapped MSIs
  if (GITS_TYPER.UMSI(typer)) log.unimp('GITS_TYPER.UMSI: unmapped MSIs are in the log alone');
}
