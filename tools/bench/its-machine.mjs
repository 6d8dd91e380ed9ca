// SPDX-License-Identifier: Apache-2.0
// A board with a GICv3, an ITS and a PCI bus. Its tables are as large as a test wants, and commands go through the queue.
import { createBoard } from '@irqkit/board';
import { firmwareFromFdt, writeFdt } from '@irqkit/fdt';
import { VIRT_SILICON, gicV3, regs as gic } from '@irqkit/gic-v3';
import { KVM_LAYOUT_SILICON, commands, gicV3Its, regs as its } from '@irqkit/gic-v3-its';
import { pciHostGeneric } from '@irqkit/pci';

export const NR_CPUS = 4;
export const PLUGINS = [gicV3, gicV3Its, pciHostGeneric];
export const PCI_PATH = '/pcie@10000000';

const GIC_PATH = '/intc@8000000';
const ITS_PATH = `${GIC_PATH}/its@8080000`;
const GICD = 0x800_0000;
const ITS = 0x808_0000;
const GICR = 0x80a_0000;
const GICR_STRIDE = 2 * gic.GICR_FRAME_BYTES;
export const [GIC_PHANDLE, ITS_PHANDLE] = [1, 2];
/** 2 Mi INTIDs: a million LPIs and the 8192 before them. */
const ID_BITS = 21;
const KIB64 = 0x1_0000;
const QUEUE_BYTES = 16 * KIB64;
const COMMAND_WORDS = commands.COMMAND_BYTES / 4;
const ITT_ALIGN = 0x100;
const ENABLED_AT_A0 = 0xa1;

/** A property's cells, and its text. */
export function cells(...list) {
  const value = new Uint8Array(list.length * 4);
  list.forEach((cell, i) => new DataView(value.buffer).setUint32(i * 4, cell));
  return value;
}

export function text(string) {
  return Buffer.from(`${string}\0`);
}

export function node(name, properties, children = []) {
  const list = Object.entries(properties).map(([property, value]) => ({ name: property, value }));
  return { name, properties: list, children };
}

function sizes(address, size) {
  return { '#address-cells': cells(address), '#size-cells': cells(size) };
}

/** QEMU's `virt` as far as interrupts need it, with four processors, 512 MiB and what is `more` on its bus. */
export function itsFirmware(more = []) {
  const cpus = Array.from({ length: NR_CPUS }, (_, cpu) =>
    node(`cpu@${cpu}`, { device_type: text('cpu'), compatible: text('arm,cortex-a72'), reg: cells(cpu) }),
  );
  const itsNode = node('its@8080000', {
    compatible: text('arm,gic-v3-its'),
    reg: cells(0, ITS, 0, 2 * KIB64),
    'msi-controller': cells(),
    '#msi-cells': cells(1),
    phandle: cells(ITS_PHANDLE),
  });
  const gicProperties = {
    compatible: text('arm,gic-v3'),
    reg: cells(0, GICD, 0, KIB64, 0, GICR, 0, NR_CPUS * GICR_STRIDE),
    ranges: cells(),
    ...sizes(2, 2),
    'interrupt-controller': cells(),
    '#interrupt-cells': cells(3),
    phandle: cells(GIC_PHANDLE),
  };
  const pcie = node('pcie@10000000', {
    compatible: text('pci-host-ecam-generic'),
    device_type: text('pci'),
    reg: cells(0x40, 0x1000_0000, 0, 0x1000_0000),
    ranges: cells(0x200_0000, 0, 0x1000_0000, 0, 0x1000_0000, 0, 0x2eff_0000),
    'bus-range': cells(0, 0xff),
    'msi-map': cells(0, ITS_PHANDLE, 0, KIB64),
    ...sizes(3, 2),
  });
  const root = node('', { ...sizes(2, 2), 'interrupt-parent': cells(GIC_PHANDLE) }, [
    node('cpus', sizes(1, 0), cpus),
    node('memory@40000000', { device_type: text('memory'), reg: cells(0, 0x4000_0000, 0, 0x2000_0000) }),
    node('intc@8000000', gicProperties, [itsNode]),
    pcie,
    ...more,
  ]);
  return firmwareFromFdt(writeFdt({ version: 17, bootCpuid: 0, reservations: [], root }));
}

/** The same hardware without a host: devices from DeviceID 0 on, LPIs in their order, redistributors taken in turn. */
export class ItsMachine {
  /** `nodes` and `plugins`: what is on the board besides. */
  constructor(nrDevices, nrEvents, { nodes = [], plugins = [] } = {}) {
    this.nrDevices = nrDevices;
    this.nrEvents = nrEvents;
    /** What the ITS took for each run of commands of mapAll, in ns per command, without the time to write them. */
    this.nsPerCommand = [];
    this.queued = 0;
    const typer = gic.GICD_TYPER.IDbits.set(VIRT_SILICON.GICD_TYPER, ID_BITS - 1);
    const silicon = { [GIC_PATH]: { GICD_TYPER: typer }, [ITS_PATH]: KVM_LAYOUT_SILICON };
    this.board = createBoard({ firmware: itsFirmware(nodes), plugins: [...PLUGINS, ...plugins], silicon });
    this.its = this.board.models.get(ITS_PATH);
    this.lpis = this.board.models.get(GIC_PATH).lpis;
    this.frame = this.its.frames[0];
    this.ittBytes = Math.ceil((nrEvents * 8) / ITT_ALIGN) * ITT_ALIGN;
    this.#enableGic();
    this.#enableIts();
    this.nsPerCommand.length = 0;
  }

  lpiOf(deviceId, eventId) {
    return its.FIRST_LPI + deviceId * this.nrEvents + eventId;
  }

  /** MAPD of every device and MAPTI of each of its events. */
  mapAll() {
    this.itts ??= this.#alloc(this.nrDevices * this.ittBytes);
    for (let device = 0; device < this.nrDevices; device++) {
      this.#command(commands.MAPD, {
        DeviceID: device,
        Size: Math.log2(this.nrEvents) - 1,
        ITT_addr: this.itts.base + device * this.ittBytes,
        V: 1,
      });
      for (let event = 0; event < this.nrEvents; event++)
        this.#command(commands.MAPTI, {
          DeviceID: device,
          EventID: event,
          pINTID: this.lpiOf(device, event),
          ICID: device % NR_CPUS,
        });
    }
    if (this.queued > 0) this.#ring();
  }

  /** Takes the LPIs of some events back. */
  clear({ devices, lpis }) {
    for (let i = 0; i < devices.length; i++) this.lpis.clearPending(devices[i] % NR_CPUS, lpis[i]);
  }

  get nrPending() {
    return this.lpis.redistributors.reduce((sum, { nrPending }) => sum + nrPending, 0);
  }

  #alloc(sizeBytes) {
    return this.board.bus.memory.alloc(sizeBytes, KIB64);
  }

  #enableGic() {
    const { bus } = this.board;
    bus.map({ base: GICD, sizeBytes: KIB64 }).write(gic.GICD_CTLR.offset, gic.GICD_CTLR.EnableGrp1.mask, 4);
    const configuration = this.#alloc(2 ** ID_BITS);
    configuration.bytes.fill(ENABLED_AT_A0);
    for (let cpu = 0; cpu < NR_CPUS; cpu++) {
      const frame = bus.map({ base: GICR + cpu * GICR_STRIDE, sizeBytes: GICR_STRIDE });
      const pending = this.#alloc(2 ** ID_BITS / 8);
      frame.write(gic.GICR_WAKER.offset, 0, 4);
      frame.write64(gic.GICR_PROPBASER.offset, configuration.base + ID_BITS - 1, 0);
      frame.write64(gic.GICR_PENDBASER.offset, pending.base, 0x4000_0000);
      frame.write(gic.GICR_CTLR.offset, gic.GICR_CTLR.EnableLPIs.mask, 4);
      bus.cpus.runOn(cpu, () => {
        bus.cpus.sysregs.write(gic.ICC_PMR_EL1.sysreg, 0xf0);
        bus.cpus.sysregs.write(gic.ICC_IGRPEN1_EL1.sysreg, 1);
      });
    }
  }

  #enableIts() {
    this.registers = this.board.bus.map({ base: ITS, sizeBytes: 2 * KIB64 });
    this.queue = this.#alloc(QUEUE_BYTES);
    this.at = 0;
    const table = (n, sizeBytes) => {
      const baser = new Uint32Array(2);
      const { GITS_BASER, GITS_PAGE_SIZE } = its;
      GITS_BASER.Size.put(baser, Math.ceil(sizeBytes / KIB64) - 1);
      GITS_BASER.Page_Size.put(baser, GITS_PAGE_SIZE.KIB64);
      its.putTableAddress(baser, this.#alloc(sizeBytes).base);
      GITS_BASER.Valid.put(baser, 1);
      this.registers.write64(GITS_BASER.offset + n * GITS_BASER.stride, baser[0], baser[1]);
    };
    table(0, this.nrDevices * 8);
    table(1, KIB64);
    const cbaser = new Uint32Array(2);
    its.GITS_CBASER.Size.put(cbaser, QUEUE_BYTES / 0x1000 - 1);
    its.GITS_CBASER.Physical_Address.put(cbaser, this.queue.base);
    its.GITS_CBASER.Valid.put(cbaser, 1);
    this.registers.write64(its.GITS_CBASER.offset, cbaser[0], cbaser[1]);
    this.registers.write(its.GITS_CTLR.offset, its.GITS_CTLR.Enabled.mask, 4);
    for (let cpu = 0; cpu < NR_CPUS; cpu++) this.#command(commands.MAPC, { ICID: cpu, RDbase: cpu * KIB64, V: 1 });
    this.#ring();
  }

  // Two halves: one is filled while the other has been read.
  #command(layout, fields) {
    const words = this.queue.words.subarray(this.at / 4, this.at / 4 + COMMAND_WORDS);
    words.fill(0);
    words[0] = layout.number;
    for (const field in fields) layout[field].put(words, fields[field]);
    this.at = (this.at + COMMAND_WORDS * 4) % QUEUE_BYTES;
    this.queued++;
    if (this.at % (QUEUE_BYTES / 2) === 0) this.#ring();
  }

  #ring() {
    const start = performance.now();
    this.registers.write(its.GITS_CWRITER.offset, this.at, 4);
    this.nsPerCommand.push(((performance.now() - start) * 1e6) / this.queued);
    this.queued = 0;
    const [message] = this.board.log.entries;
    if (message) throw new Error(`a command was refused: ${JSON.stringify(message)}`);
  }
}
