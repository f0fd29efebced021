/** What a song is called, and how to call it otherwise. */
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, type Job } from "../../api/client";
import { queries } from "../../api/queries";
import { Button, IconButton, Notice } from "../../ui/controls";

const LOOK = "text-3xl font-bold tracking-[-0.03em] sm:text-5xl";

export function Title({ job }: { job: Job }) {
  const [editing, setEditing] = useState(false);
  const rename = useMutation({
    mutationFn: (name: string) =>
      api.PATCH("/api/v1/jobs/{job_id}", {
        params: { path: { job_id: job.id } },
        body: { name },
      }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["job", job.id] });
      await queries.invalidateQueries({ queryKey: ["jobs"] });
      setEditing(false);
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name")).trim();
    if (!name || name === job.name) setEditing(false);
    else rename.mutate(name);
  };
  if (!editing) {
    return (
      <div className="mt-2 flex items-center gap-3">
        <h1 className={LOOK}>{job.name}</h1>
        <IconButton icon="pen" label="Rename" onClick={() => setEditing(true)} />
      </div>
    );
  }
  return (
    <form onSubmit={submit} className="mt-2 flex flex-wrap items-center gap-3">
      <h1 className="sr-only">{job.name}</h1>
      <input
        name="name"
        aria-label="Name"
        defaultValue={job.name}
        maxLength={200}
        // biome-ignore lint/a11y/noAutofocus: it takes the place of the button that was pressed
        autoFocus
        className={`field min-w-0 flex-1 ${LOOK}`}
        onKeyDown={(event) => {
          if (event.key === "Escape") setEditing(false);
        }}
      />
      <Button kind="main" type="submit" disabled={rename.isPending}>
        Rename
      </Button>
      {rename.error && <Notice kind="bad">{rename.error.message}</Notice>}
    </form>
  );
}
