/** Two runs of a song that play in step, of which one is heard: A or B. */
import { useEffect, useRef, useState } from "react";
import type { Job } from "../../api/client";
import { clock } from "../../text";
import { IconButton, Notice } from "../../ui/controls";
import { playable } from "../desk/source";
import { commonStems, RUN_NAMES } from "./runs";

const APART_S = 0.03; // that players may drift before one is set right

export function Switch({ runs, onPlay }: { runs: readonly [Job, Job]; onPlay: () => void }) {
  const stems = commonStems(runs);
  const [stem, setStem] = useState(stems[0]);
  const [heard, setHeard] = useState<0 | 1>(0);
  const [playing, setPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const [length, setLength] = useState(0);
  const players = useRef<(HTMLAudioElement | null)[]>([]);

  useEffect(() => {
    const both = players.current;
    return () => {
      for (const player of both) player?.pause();
    };
  }, []);

  if (stem === undefined) {
    return <Notice className="mt-5">These two runs have no stem in common.</Notice>;
  }

  const all = (act: (player: HTMLAudioElement) => unknown) => {
    for (const player of players.current) if (player) act(player);
  };
  const seek = (seconds: number) => {
    all((player) => {
      player.currentTime = seconds;
    });
    setAt(seconds);
  };
  const toggle = () => {
    if (playing) all((player) => player.pause());
    else {
      onPlay();
      seek(at);
      all((player) => void player.play());
    }
    setPlaying(!playing);
  };
  const hear = (run: 0 | 1) => {
    const [from, to] = [players.current[heard], players.current[run]];
    if (from && to && Math.abs(from.currentTime - to.currentTime) > APART_S) {
      to.currentTime = from.currentTime;
    }
    setHeard(run);
  };
  return (
    <div className="panel mt-5 flex flex-wrap items-center gap-x-5 gap-y-3 p-4">
      <IconButton
        icon={playing ? "pause" : "play"}
        label={playing ? "Pause the comparison" : "Play the comparison"}
        onClick={toggle}
      />
      <fieldset className="flex gap-1">
        <legend className="sr-only">Which run is heard</legend>
        {runs.map((job, k) => (
          <button
            key={job.id}
            type="button"
            aria-pressed={heard === k}
            className="min-h-9 rounded-full border border-edge px-3.5 text-[0.9375rem] aria-pressed:border-transparent aria-pressed:bg-accent aria-pressed:text-on-accent"
            onClick={() => hear(k as 0 | 1)}
          >
            <b>{RUN_NAMES[k]}</b> {job.options.model}
          </button>
        ))}
      </fieldset>
      <label className="flex items-center gap-2">
        <span className="sr-only">Stem to compare</span>
        <select
          className="field"
          value={stem}
          onChange={(event) => {
            all((player) => player.pause());
            setPlaying(false);
            setStem(event.target.value);
          }}
        >
          {stems.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <input
        type="range"
        aria-label="Position of the comparison"
        aria-valuetext={clock(at)}
        className="min-w-32 flex-1"
        min={0}
        max={length || 1}
        step={0.1}
        value={at}
        onChange={(event) => seek(event.target.valueAsNumber)}
      />
      <span className="font-mono text-sm text-quiet">
        {clock(at)} / {clock(length)}
      </span>
      {runs.map((job, k) => (
        <audio
          key={job.id}
          ref={(player) => {
            players.current[k] = player;
          }}
          data-testid={`run-${RUN_NAMES[k]}`}
          src={playable(job).find(({ name }) => name === stem)?.url}
          preload="auto"
          muted={heard !== k}
          onLoadedMetadata={({ currentTarget }) => {
            setLength(currentTarget.duration);
            currentTarget.currentTime = at;
          }}
          onTimeUpdate={({ currentTarget }) => heard === k && setAt(currentTarget.currentTime)}
          onEnded={() => heard === k && setPlaying(false)}
        />
      ))}
    </div>
  );
}
