/** The same recording once more, with other settings. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, body, type Job, type Options } from "../../api/client";
import { presetsQuery, queries } from "../../api/queries";
import { go, jobPath } from "../../route";
import { asOptions, type Wish, wishOf } from "../../state/wish";
import { Button, Notice } from "../../ui/controls";
import { Choice } from "../bring/choice";

export function Otherwise({ job }: { job: Job }) {
  const [wish, setWish] = useState<Wish | null>(null);
  const presets = useQuery(presetsQuery).data;
  const again = useMutation({
    mutationFn: (wanted: Wish) => {
      const preset = presets?.find((each) => each.name === wanted.preset);
      return body(
        api.POST("/api/v1/jobs/{job_id}/retry", {
          params: { path: { job_id: job.id } },
          body: { options: { ...keptOf(job, wanted), ...asOptions(wanted, preset) } },
        }),
      );
    },
    onSuccess: (next) => {
      void queries.invalidateQueries({ queryKey: ["jobs"] });
      go(jobPath(next.id));
    },
  });
  if (!wish) {
    return (
      <Button icon="retry" className="mt-8" onClick={() => setWish(wishOf(job.options))}>
        Take it apart with other settings
      </Button>
    );
  }
  return (
    <div className="mt-8 max-w-xl">
      <Choice wish={wish} change={(part) => setWish({ ...wish, ...part })}>
        <div className="flex flex-wrap gap-3">
          <Button kind="main" disabled={again.isPending} onClick={() => again.mutate(wish)}>
            Take it apart anew
          </Button>
          <Button onClick={() => setWish(null)}>Leave it</Button>
        </div>
        {again.error && <Notice kind="bad">{again.error.message}</Notice>}
      </Choice>
    </div>
  );
}

/** What of a job's options the choices do not have; how a model works is its own matter. */
function keptOf({ options }: Job, wanted: Wish): Options {
  const { separation: _, ...rest } = options;
  return wanted.model === options.model ? options : rest;
}
