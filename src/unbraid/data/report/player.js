
const song = JSON.parse(document.getElementById("song").textContent);
const find = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
const between = (low, value, high) => Math.max(low, Math.min(value, high));
const colour = (name, element = document.documentElement) =>
  getComputedStyle(element).getPropertyValue(name).trim();

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Plays all stems from the same moment; knows nothing of the page. */
class Player {
  constructor(duration, rate, sounds) {
    Object.assign(this, { duration, rate, sounds, at: 0, began: null, sources: [] });
    this.channels = sounds.map(() => ({ volume: 1, muted: false, solo: false, gain: null }));
  }

  get playing() {
    return this.began !== null;
  }

  get time() {
    if (!this.playing) return this.at;
    return between(0, this.at + this.context.currentTime - this.began, this.duration);
  }

  audible(channel) {
    return this.channels.some((each) => each.solo) ? channel.solo : !channel.muted;
  }

  async load() {
    if (this.buffers) return;
    this.context = new AudioContext({ sampleRate: this.rate });
    const decoded = this.sounds.map((sound) => {
      const data = sound.getAttribute("src");
      return this.context.decodeAudioData(bytes(data.slice(data.indexOf(",") + 1)).buffer);
    });
    this.buffers = await Promise.all(decoded);
    for (const channel of this.channels) {
      channel.gain = this.context.createGain();
      channel.gain.connect(this.context.destination);
    }
    this.mix();
  }

  mix() {
    for (const channel of this.channels) {
      const volume = this.audible(channel) ? channel.volume : 0;
      channel.gain?.gain.setTargetAtTime(volume, this.context.currentTime, 0.01);
    }
  }

  async play() {
    await this.load();
    await this.context.resume();
    if (this.playing) return;
    if (this.at >= this.duration) this.at = 0;
    const when = this.context.currentTime + 0.05;
    this.sources = this.buffers.map((buffer, k) => {
      const source = new AudioBufferSourceNode(this.context, { buffer });
      source.connect(this.channels[k].gain);
      return source;
    });
    for (const source of this.sources) source.start(when, this.at);
    this.began = when;
  }

  pause() {
    this.at = this.time;
    this.began = null;
    for (const source of this.sources) {
      source.stop();
      source.disconnect();
    }
    this.sources = [];
  }

  async seek(time) {
    const playing = this.playing;
    if (playing) this.pause();
    this.at = between(0, time, this.duration);
    if (playing) await this.play();
  }
}

/** What part of the song the lanes show, and how it is drawn. */
class Strip {
  constructor(element, draw) {
    this.element = element;
    this.draw = draw;
    this.canvas = find("canvas", element);
    this.head = find(".playhead", element);
  }

  get whole() {
    return this.element.classList.contains("overview");
  }

  get start() {
    return this.whole ? 0 : view.start;
  }

  get span() {
    return this.whole ? song.duration : view.span;
  }

  x(time) {
    return ((time - this.start) / this.span) * this.width;
  }

  time(x) {
    return this.start + (x / this.width) * this.span;
  }

  paint() {
    const scale = window.devicePixelRatio || 1;
    this.width = this.element.clientWidth;
    this.height = this.element.clientHeight;
    this.canvas.width = Math.round(this.width * scale);
    this.canvas.height = Math.round(this.height * scale);
    const pen = this.canvas.getContext("2d");
    pen.scale(scale, scale);
    this.draw(pen, this, scale);
  }

  place(time) {
    this.head.style.transform = `translateX(${this.x(time)}px)`;
  }
}

function beatLines(pen, strip) {
  const step = song.beats.length > 1 ? strip.x(song.beats[1]) - strip.x(song.beats[0]) : 0;
  const lines = (times, name) => {
    pen.fillStyle = colour(name);
    for (const time of times) pen.fillRect(Math.round(strip.x(time)), 0, 1, strip.height);
  };
  if (step >= 7) lines(song.beats, "--beat");
  const bar = song.downbeats.length > 1 ? strip.x(song.downbeats[1]) - strip.x(song.downbeats[0]) : 0;
  if (bar >= 5) lines(song.downbeats, "--bar");
}

function wave(peaks, paint) {
  return (pen, strip, scale) => {
    if (!strip.whole) beatLines(pen, strip);
    pen.fillStyle = paint(strip.element);
    const columns = peaks.length / 2;
    const middle = strip.height / 2;
    const pixels = strip.width * scale;
    for (let pixel = 0; pixel < pixels; pixel++) {
      const from = (strip.time(pixel / scale) / song.duration) * columns;
      const to = (strip.time((pixel + 1) / scale) / song.duration) * columns;
      if (from >= columns) break;
      let low = 0;
      let high = 0;
      for (let k = Math.floor(from); k < Math.min(columns, Math.max(to, from + 1)); k++) {
        low = Math.min(low, peaks[2 * k]);
        high = Math.max(high, peaks[2 * k + 1]);
      }
      const top = middle - (high / 127) * (middle - 2);
      const bottom = middle - (low / 127) * (middle - 2);
      pen.fillRect(pixel / scale, top, 1 / scale, Math.max(bottom - top, 1));
    }
    if (strip.whole && view.span < song.duration) {
      const left = strip.x(view.start);
      const width = (view.span / song.duration) * strip.width;
      pen.strokeStyle = colour("--accent-text");
      pen.lineWidth = 2;
      pen.strokeRect(left + 1, 1, Math.max(width - 2, 2), strip.height - 2);
    }
  };
}

function roll(notes) {
  const pitches = notes.map((note) => note[2]);
  const low = pitches.reduce((a, b) => Math.min(a, b)) - 2;
  const high = pitches.reduce((a, b) => Math.max(a, b)) + 2;
  return (pen, strip) => {
    beatLines(pen, strip);
    const row = strip.height / (high - low + 1);
    const thick = Math.max(2.5, row);
    pen.fillStyle = colour("--stem", strip.element);
    for (const [start, end, pitch, velocity] of notes) {
      if (end < view.start || start > view.start + view.span) continue;
      const left = strip.x(start);
      pen.globalAlpha = 0.45 + (0.55 * velocity) / 127;
      const top = strip.height - (pitch - low + 0.5) * row - thick / 2;
      pen.fillRect(left, top, Math.max(2, strip.x(end) - left - 1), thick);
    }
    pen.globalAlpha = 1;
    label(pen, noteName(high - 2), 10);
    label(pen, noteName(low + 2), strip.height - 5);
  };
}

function noteName(pitch) {
  const names = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];
  return names[pitch % 12] + (Math.floor(pitch / 12) - 1);
}

function label(pen, text, y) {
  pen.font = "10px system-ui, sans-serif";
  const width = pen.measureText(text).width;
  pen.fillStyle = colour("--raised");
  pen.globalAlpha = 0.8;
  pen.fillRect(2, y - 9, width + 4, 12);
  pen.globalAlpha = 1;
  pen.fillStyle = colour("--quiet");
  pen.fillText(text, 4, y);
}

function strokes(drums, hits) {
  return (pen, strip) => {
    beatLines(pen, strip);
    const row = strip.height / drums.length;
    for (const [time, drum, velocity] of hits) {
      const x = strip.x(time);
      if (x < -8 || x > strip.width + 8) continue;
      pen.fillStyle = colour("--stem", strip.element);
      pen.globalAlpha = 0.4 + (0.6 * velocity) / 127;
      const size = Math.min(row - 2, 4 + (6 * velocity) / 127);
      pen.fillRect(x, strip.height - (drum + 0.5) * row - size / 2, 3, size);
    }
    pen.globalAlpha = 1;
    drums.forEach((drum, k) => label(pen, drum, strip.height - (k + 0.5) * row + 3.5));
  };
}

function ruler(pen, strip) {
  beatLines(pen, strip);
  pen.font = "11px system-ui, sans-serif";
  pen.fillStyle = colour("--quiet");
  let free = 0;
  song.downbeats.forEach((time, k) => {
    const x = strip.x(time) + 4;
    if (x < free || x > strip.width) return;
    pen.fillText(k + 1, x, 12);
    free = x + pen.measureText(k + 1).width + 12;
  });
  if (!song.downbeats.length) {
    const step = [0.1, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((s) => (s / strip.span) * strip.width > 56);
    for (let time = 0; step && time < song.duration; time += step) {
      pen.fillText(step < 1 ? `${time.toFixed(1)} s` : clock(time), strip.x(time) + 4, 12);
    }
  }
  pen.font = "700 14px system-ui, sans-serif";
  for (const [start, end, name] of song.chords) {
    const left = strip.x(start);
    const width = strip.x(end) - left;
    if (left + width < 0 || left > strip.width) continue;
    const shown = Math.max(left, 0);
    pen.fillStyle = colour("--chord");
    pen.fillRect(shown + 1, 19, Math.max(1, left + width - shown - 2), 26);
    if (pen.measureText(name).width + 8 > left + width - shown) continue;
    pen.fillStyle = colour("--text");
    pen.fillText(name, shown + 5, 37);
  }
}

const player = new Player(song.duration, song.rate, all("#sounds audio"));
const view = { start: 0, span: song.duration };
const playButton = find("#play");
const position = find("#position");
const now = find("#now");
const status = find("#status");
const lanes = all(".lane.stem");
const strips = all(".strip").map((element) => new Strip(element, drawing(element)));

function drawing(element) {
  if (element.classList.contains("ruler")) return ruler;
  if (element.classList.contains("overview")) {
    return wave(new Int8Array(bytes(song.peaks).buffer), () => colour("--quiet"));
  }
  const stem = song.stems[Number(element.closest(".lane").dataset.stem)];
  if (element.classList.contains("wave")) {
    return wave(new Int8Array(bytes(stem.peaks).buffer), (lane) => colour("--stem", lane));
  }
  return stem.strokes ? strokes(stem.drums, stem.strokes) : roll(stem.notes);
}

function usualSpan() {
  const width = find(".ruler").clientWidth;
  const bar = song.downbeats.length > 1 ? (song.downbeats.at(-1) - song.downbeats[0]) / (song.downbeats.length - 1) : 2;
  return between(Math.min(4, song.duration), (width / 64) * bar, song.duration);
}

function show(start, span = view.span) {
  view.span = between(Math.min(1, song.duration), span, song.duration);
  view.start = between(0, start, song.duration - view.span);
  for (const strip of strips) strip.paint();
  place();
}

function place() {
  const time = player.time;
  for (const strip of strips) strip.place(time);
  position.value = time;
  position.setAttribute("aria-valuetext", `${clock(time)} of ${clock(song.duration)}`);
  now.textContent = clock(time);
}

function follow() {
  const time = player.time;
  if (time < view.start || time > view.start + view.span * 0.97) show(time - view.span * 0.05);
  else place();
}

function frame() {
  if (!player.playing) return;
  if (player.time >= song.duration) {
    player.pause();
    player.at = 0;
    update();
  } else {
    requestAnimationFrame(frame);
  }
  follow();
}

function update() {
  playButton.toggleAttribute("data-playing", player.playing);
  find(".label", playButton).textContent = player.playing ? "Pause" : "Play";
  lanes.forEach((lane, k) => {
    const channel = player.channels[k];
    if (!channel) return;
    lane.classList.toggle("off", !player.audible(channel));
    find(".mute", lane).setAttribute("aria-pressed", channel.muted);
    find(".solo", lane).setAttribute("aria-pressed", channel.solo);
  });
  player.mix();
}

async function toggle() {
  if (!player.sounds.length) return;
  if (player.playing) {
    player.pause();
  } else {
    status.textContent = player.buffers ? "" : "Preparing the sound …";
    try {
      await player.play();
      status.textContent = "";
    } catch (error) {
      status.textContent = `This browser cannot play the sound: ${error.message}`;
    }
    requestAnimationFrame(frame);
  }
  update();
}

async function seek(time) {
  await player.seek(time);
  follow();
}

function zoom(factor) {
  const middle = between(view.start, player.time, view.start + view.span);
  const share = (middle - view.start) / view.span;
  const span = between(Math.min(1, song.duration), view.span * factor, song.duration);
  show(middle - share * span, span);
}

playButton.addEventListener("click", toggle);
position.addEventListener("input", () => seek(Number(position.value)));
find("#closer").addEventListener("click", () => zoom(0.5));
find("#farther").addEventListener("click", () => zoom(2));
find("#whole").addEventListener("click", () => show(0, song.duration));
for (const strip of strips) {
  strip.element.addEventListener("click", (event) => {
    const time = strip.time(event.clientX - strip.element.getBoundingClientRect().left);
    if (strip.whole) show(time - view.span / 2);
    seek(time);
  });
}
lanes.forEach((lane, k) => {
  const channel = player.channels[k];
  if (!channel) return;
  for (const kind of ["mute", "solo"]) {
    const field = kind === "mute" ? "muted" : "solo";
    find(`.${kind}`, lane).addEventListener("click", () => {
      channel[field] = !channel[field];
      update();
    });
  }
  find("input", lane).addEventListener("input", (event) => {
    channel.volume = event.target.value / 100;
    player.mix();
  });
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const on = event.target.tagName;
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
  if (event.key === " " && on !== "BUTTON" && on !== "SUMMARY") toggle();
  else if (event.key === "ArrowLeft" && on !== "INPUT") seek(player.time - 5);
  else if (event.key === "ArrowRight" && on !== "INPUT") seek(player.time + 5);
  else if (event.key === "Home" && on !== "INPUT") seek(0);
  else if (digit && player.channels[digit[1] - 1]) {
    const channel = player.channels[digit[1] - 1];
    if (event.shiftKey) channel.solo = !channel.solo;
    else channel.muted = !channel.muted;
    update();
  } else return;
  event.preventDefault();
});
matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => show(view.start));
let shownWidth = 0;
new ResizeObserver(() => {
  if (find(".ruler").clientWidth === shownWidth) return;
  shownWidth = find(".ruler").clientWidth;
  show(view.start);
}).observe(find(".ruler"));
show(0, usualSpan());
