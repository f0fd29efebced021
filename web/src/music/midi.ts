/** Standard MIDI files, as far as a piano roll needs them (MIDI Manufacturers Association, 1996). */

export interface Note {
  /** In seconds. */
  start: number;
  end: number;
  /** MIDI number; 60 is C4. */
  pitch: number;
  /** 0 to 1. */
  velocity: number;
  /** How far its pitch is bent from when on, in semitones; none where it never is. */
  bends?: { time: number; by: number }[];
}

interface Event {
  tick: number;
  kind: "on" | "off" | "tempo" | "bend";
  channel: number;
  pitch: number;
  /** Velocity, microseconds per quarter, or semitones. */
  value: number;
}

const BEND_SEMITONES = 2; // that a wheel reaches, unless a file says otherwise; ours do not
const WHEEL_MIDDLE = 8_192;

/** The notes of a file, in order of their beginning. */
export function parseMidi(bytes: Uint8Array): Note[] {
  const reader = new Reader(bytes);
  if (reader.word() !== "MThd") throw new Error("This is no MIDI file.");
  reader.skip(4 + 2);
  const tracks = reader.number(2);
  const ticks = reader.number(2);
  const events: Event[] = [];
  for (let k = 0; k < tracks; k += 1) events.push(...trackOf(reader));
  const order = { tempo: 0, off: 1, bend: 2, on: 3 };
  events.sort((a, b) => a.tick - b.tick || order[a.kind] - order[b.kind]);
  return notesOf(events, ticks);
}

function notesOf(events: readonly Event[], ticksPerQuarter: number): Note[] {
  const notes: Note[] = [];
  const sounding = new Map<number, Note[]>();
  const bent = new Map<number, number>();
  let time = 0;
  let tick = 0;
  let secondsPerTick = 0.5 / ticksPerQuarter;
  for (const event of events) {
    time += (event.tick - tick) * secondsPerTick;
    tick = event.tick;
    const place = event.channel * 128 + event.pitch;
    if (event.kind === "tempo") secondsPerTick = event.value / 1e6 / ticksPerQuarter;
    else if (event.kind === "bend") {
      bent.set(event.channel, event.value);
      for (const [where, played] of sounding) {
        if (Math.floor(where / 128) !== event.channel) continue;
        for (const note of played) bend(note, time, event.value);
      }
    } else if (event.kind === "on") {
      const note: Note = {
        start: time,
        end: time,
        pitch: event.pitch,
        velocity: event.value / 127,
      };
      const by = bent.get(event.channel);
      if (by) bend(note, time, by);
      notes.push(note);
      sounding.set(place, [...(sounding.get(place) ?? []), note]);
    } else {
      const note = sounding.get(place)?.shift();
      if (note) note.end = time;
    }
  }
  return notes;
}

function bend(note: Note, time: number, by: number): void {
  note.bends ??= time > note.start ? [{ time: note.start, by: 0 }] : [];
  note.bends.push({ time, by });
}

function* trackOf(reader: Reader): Generator<Event> {
  const kind = reader.word();
  const end = reader.number(4) + reader.at;
  let tick = 0;
  let status = 0;
  while (kind === "MTrk" && reader.at < end) {
    tick += reader.length();
    if (reader.peek() & 0x80) status = reader.number(1);
    const channel = status & 0x0f;
    if (status === 0xff) {
      const type = reader.number(1);
      const size = reader.length();
      const next = reader.at + size;
      if (type === 0x51) {
        yield { tick, kind: "tempo", channel: 0, pitch: 0, value: reader.number(3) };
      }
      reader.at = next;
    } else if (status >= 0xf0) reader.skip(reader.length());
    else if (status >= 0xc0 && status < 0xe0) reader.skip(1);
    else {
      const pitch = reader.number(1);
      const value = reader.number(1);
      if (status < 0xa0) {
        const on = status >= 0x90 && value > 0;
        yield { tick, kind: on ? "on" : "off", channel, pitch, value };
      } else if (status >= 0xe0) {
        const by = (BEND_SEMITONES * (value * 128 + pitch - WHEEL_MIDDLE)) / WHEEL_MIDDLE;
        yield { tick, kind: "bend", channel, pitch: 0, value: by };
      }
    }
  }
  reader.at = end;
}

class Reader {
  at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  peek(): number {
    return this.bytes[this.at] ?? 0;
  }

  skip(count: number): void {
    this.at += count;
  }

  word(): string {
    this.at += 4;
    return String.fromCharCode(...this.bytes.subarray(this.at - 4, this.at));
  }

  /** A number of some bytes, the highest first. */
  number(octets: number): number {
    let value = 0;
    for (let i = 0; i < octets; i += 1) value = value * 256 + (this.bytes[this.at++] ?? 0);
    return value;
  }

  /** A number in groups of seven bits. */
  length(): number {
    let value = 0;
    for (;;) {
      const octet = this.number(1);
      value = value * 128 + (octet & 0x7f);
      if (!(octet & 0x80)) return value;
    }
  }
}
