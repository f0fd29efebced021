/** The first page: bring a song, choose what to make of it, see what was made before. */
import { useQuery } from "@tanstack/react-query";
import { type DragEvent, useEffect, useRef, useState } from "react";
import { limitsQuery, presetsQuery } from "../../api/queries";
import { go } from "../../route";
import { bringDemo, bringFiles, bringLink } from "../../state/bring";
import { ACCEPT } from "../../state/check";
import { filesOf, linkOf } from "../../state/dropped";
import { asOptions, useWish } from "../../state/wish";
import { bytes, classes, duration } from "../../text";
import { Button } from "../../ui/controls";
import { Library } from "../library/library";
import { Choice } from "./choice";
import { LinkField } from "./link_field";
import { Parcels } from "./parcels";

export function BringPage() {
  const wish = useWish();
  const presets = useQuery(presetsQuery).data;
  const preset = presets?.find((each) => each.name === wish.preset);
  const options = asOptions(wish, preset);
  const follow = async (coming: Promise<string | null>) => {
    const path = await coming;
    if (path && location.pathname === "/") go(path);
  };
  const handlers: Handlers = {
    onFiles: (files) => follow(bringFiles(files, options)),
    onLink: (url) => follow(bringLink(url, options)),
    onDemo: () => follow(bringDemo(options)),
  };
  usePaste(handlers);

  return (
    <>
      <title>Unbraid</title>
      <section aria-labelledby="bring" className="pt-4 sm:pt-8">
        <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1.25fr)_minmax(20rem,1fr)]">
          <DropZone {...handlers} />
          <Choice wish={wish} change={wish.change} />
        </div>
        <Parcels />
      </section>
      <Library />
    </>
  );
}

interface Handlers {
  onFiles: (files: readonly File[]) => Promise<void>;
  onLink: (url: string) => Promise<void>;
  onDemo: () => Promise<void>;
}

/** Brings what is pasted outside of fields: files, or a link. */
function usePaste(handlers: Handlers) {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    const paste = ({ target, clipboardData }: ClipboardEvent) => {
      if (!clipboardData || (target as Element).closest("input, textarea, select")) return;
      const link = linkOf(clipboardData);
      if (clipboardData.files.length) void latest.current.onFiles([...clipboardData.files]);
      else if (link) void latest.current.onLink(link);
    };
    addEventListener("paste", paste);
    return () => removeEventListener("paste", paste);
  }, []);
}

function DropZone({ onFiles, onLink, onDemo }: Handlers) {
  const picker = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [fetching, setFetching] = useState(false);
  const limits = useQuery(limitsQuery).data;

  useEffect(() => {
    // A file that misses the zone must not replace the page.
    const stay = (event: globalThis.DragEvent) => event.preventDefault();
    addEventListener("dragover", stay);
    addEventListener("drop", stay);
    return () => {
      removeEventListener("dragover", stay);
      removeEventListener("drop", stay);
    };
  }, []);

  const take = async (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const link = linkOf(event.dataTransfer);
    if (link) await onLink(link);
    else await onFiles(await filesOf(event.dataTransfer));
  };
  const demo = async () => {
    setFetching(true);
    await onDemo();
    setFetching(false);
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping has its equal in the button within
    <div
      data-testid="drop"
      onDragEnter={() => setOver(true)}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={take}
      className={classes(
        "panel overflow-hidden p-6 transition-colors sm:p-9",
        over && "border-accent-text",
      )}
    >
      <Braid open={over} />
      <h1
        id="bring"
        className="mt-6 text-4xl font-bold leading-[1.05] tracking-[-0.04em] sm:text-6xl"
      >
        Drop a song. <span className="block text-quiet">Take it apart.</span>
      </h1>
      <p className="mt-4 max-w-md text-quiet">
        Voice, drums, bass and the rest as tracks of their own, with their notes, beats and chords.
      </p>
      <div className="mt-6 flex flex-wrap gap-3">
        <Button
          kind="main"
          icon="plus"
          className="min-h-12 px-6"
          onClick={() => picker.current?.click()}
        >
          Choose files
        </Button>
        <Button icon="notes" className="min-h-12 px-6" disabled={fetching} onClick={demo}>
          {fetching ? "Composing it…" : "Take the demo song"}
        </Button>
        <input
          ref={picker}
          type="file"
          multiple
          accept={ACCEPT}
          aria-label="Recordings"
          className="sr-only"
          tabIndex={-1}
          onChange={(event) => {
            const files = [...(event.target.files ?? [])];
            event.target.value = ""; // the same file may be chosen again
            void onFiles(files);
          }}
        />
      </div>
      {limits && <LinkField limits={limits} onLink={onLink} />}
      <p className="mt-5 text-sm text-quiet">
        WAV, FLAC, MP3, Ogg, Opus, AIFF, M4A, also videos, ZIP archives and whole folders
        {limits &&
          `; up to ${bytes(limits.max_upload_bytes)} and ${duration(limits.max_duration_s)} each`}
        .
      </p>
    </div>
  );
}

const STRANDS = [
  { hue: 350, y: 76 },
  { hue: 75, y: 110 },
  { hue: 130, y: 144 },
  { hue: 185, y: 178 },
  { hue: 245, y: 212 },
];

/** A cord that comes apart into strands; further while something is held over it. */
function Braid({ open }: { open: boolean }) {
  const turns = 4;
  const width = 62;
  const cord = (k: number) => {
    const phase = (k / STRANDS.length) * 2 * Math.PI;
    const points = Array.from({ length: turns * 16 + 1 }, (_, i) => {
      const x = -20 + (i / 16) * width;
      const grow = 26 * (0.35 + 0.65 * (i / (turns * 16)));
      return `${x.toFixed(1)} ${(144 + grow * Math.sin(phase + (i / 16) * Math.PI)).toFixed(1)}`;
    });
    return `M${points.join("L")}`;
  };
  return (
    <svg
      viewBox="0 62 720 164"
      aria-hidden="true"
      fill="none"
      className="-mx-6 -mt-2 block w-[calc(100%+3rem)] sm:-mx-9 sm:-mt-4 sm:w-[calc(100%+4.5rem)]"
    >
      <g strokeWidth="3.500" strokeLinecap="round" strokeLinejoin="round">
        {STRANDS.map(({ hue, y }, k) => {
          const last = -20 + turns * width;
          const phase = (k / STRANDS.length) * 2 * Math.PI + turns * Math.PI;
          const from = 144 + 26 * Math.sin(phase);
          const to = open ? 144 + (y - 144) * 1.25 : y;
          const rise = ((26 * Math.PI) / width) * Math.cos(phase); // where the cord ends
          const colour = hue === 130 ? "var(--accent-text)" : `oklch(var(--light) 0.15 ${hue})`;
          return (
            <g key={hue} stroke={colour} opacity={0.9}>
              <path d={cord(k)} />
              <path
                className="transition-[d] duration-300"
                d={`M${last} ${from.toFixed(1)}C${last + 26} ${(from + 26 * rise).toFixed(1)} ${last + 110} ${to} ${last + 230} ${to}H740`}
              />
            </g>
          );
        })}
      </g>
    </svg>
  );
}
