/** Where a link to a recording is pasted, on servers that fetch some. */
import { type FormEvent, useId } from "react";
import type { Limits } from "../../api/client";
import { Button } from "../../ui/controls";

export function LinkField({
  limits,
  onLink,
}: {
  limits: Limits;
  onLink: (url: string) => Promise<void>;
}) {
  const [field, hint] = [useId(), useId()];
  const hosts = sourcesOf(limits);
  if (hosts.length === 0) return null;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const url = String(new FormData(form).get("url")).trim();
    form.reset();
    if (url) void onLink(url);
  };
  return (
    <form onSubmit={submit} className="mt-5 max-w-lg">
      <label htmlFor={field}>Or a link to a recording</label>
      <div className="mt-1.5 flex gap-2">
        <input
          id={field}
          name="url"
          inputMode="url"
          placeholder="https://"
          autoComplete="off"
          spellCheck={false}
          required
          maxLength={2000}
          aria-describedby={hint}
          className="field min-w-0 flex-1"
        />
        <Button type="submit">Fetch it</Button>
      </div>
      <p id={hint} className="mt-1.5 text-sm text-quiet">
        This server fetches from {hosts.join(", ")}.
      </p>
    </form>
  );
}

/** Whose links are fetched, in words. */
export function sourcesOf({ url_hosts: hosts, youtube }: Limits): string[] {
  const named = hosts.map((host) =>
    host.startsWith(".") ? `any host below ${host.slice(1)}` : host,
  );
  return youtube ? [...named, "YouTube (single videos)"] : named;
}
