/** A task on a result, from its beginning until its files are there. */
import { useEffect } from "react";
import { isActive, queries } from "../../api/queries";
import { usePace } from "../../state/live";
import { Notice } from "../../ui/controls";

export function Making({ id, parent, text }: { id: string; parent: string; text: string }) {
  const pace = usePace(id, true);
  const ended = pace.last > 0 && !isActive(pace.state);
  useEffect(() => {
    if (ended) void queries.invalidateQueries({ queryKey: ["job", parent] });
  }, [ended, parent]);
  if (pace.state === "done") return null;
  if (ended) {
    return (
      <Notice kind="bad" className="mt-3">
        {pace.log.at(-1)?.text}
      </Notice>
    );
  }
  return (
    <p role="status" className="mt-3 text-quiet">
      {text}
    </p>
  );
}
