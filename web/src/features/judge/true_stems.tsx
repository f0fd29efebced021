/** True stems, where one has them, that the found ones are compared with. */
import { useMutation } from "@tanstack/react-query";
import { useRef } from "react";
import { api, body, type Job } from "../../api/client";
import { send } from "../../api/upload";
import { Button, Notice } from "../../ui/controls";
import { Making } from "../job/making";
import { commonStems, named } from "./runs";

const UNHEARD = { onProgress: () => {}, onPause: () => {} };

export function TrueStems({ runs }: { runs: readonly Job[] }) {
  const picker = useRef<HTMLInputElement>(null);
  const stems = commonStems(runs);
  const compare = useMutation({
    mutationFn: async (files: readonly File[]) => {
      const { signal } = new AbortController();
      const uploads: Record<string, string> = {};
      for (const [stem, file] of named(files, stems)) {
        uploads[stem] = (await send(file, { ...UNHEARD, signal })).id;
      }
      return Promise.all(
        runs.map((job) =>
          body(
            api.POST("/api/v1/jobs/{job_id}/scores", {
              params: { path: { job_id: job.id } },
              body: { stems: uploads },
            }),
          ),
        ),
      );
    },
  });
  return (
    <div className="mt-4">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Button
          icon="plus"
          disabled={compare.isPending}
          onClick={() => {
            compare.reset();
            picker.current?.click();
          }}
        >
          {compare.isPending ? "They are sent…" : "Compare with true stems"}
        </Button>
        <p className="text-[0.9375rem] text-quiet">
          Files with the stem in their name, such as {stems[0] ?? "vocals"}.wav; with all of them,
          SIR tells most.
        </p>
        <input
          ref={picker}
          type="file"
          multiple
          accept="audio/*,.flac"
          aria-label="True stems"
          className="sr-only"
          tabIndex={-1}
          onChange={(event) => {
            const files = [...(event.target.files ?? [])];
            event.target.value = "";
            if (files.length) compare.mutate(files);
          }}
        />
      </div>
      {compare.error && (
        <Notice kind="bad" className="mt-3">
          {compare.error.message}
        </Notice>
      )}
      {compare.data?.map((task) => (
        <Making key={task.id} id={task.id} parent={task.parent_id!} text="They are compared…" />
      ))}
    </div>
  );
}
