/** Recordings on their way to the server. */
import { useMutation, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useStore } from "zustand";
import { giveUp, type HalfSent, halfSent } from "../../api/half_sent";
import { queries } from "../../api/queries";
import { bring, drop, type Parcel } from "../../state/bring";
import { Bar, Button, IconButton, Link } from "../../ui/controls";

const SAYS: Record<Parcel["state"], string> = {
  checking: "looking at it",
  waiting: "waits to be sent",
  composing: "is composed",
  sending: "is sent",
  paused: "waits for the server",
  asking: "is put in line",
  queued: "is there",
  refused: "",
};

export function Parcels() {
  const parcels = useStore(bring, (state) => state.parcels);
  const halves = useQuery({
    queryKey: ["half sent"],
    queryFn: ({ signal }) => halfSent(signal),
    staleTime: Number.POSITIVE_INFINITY, // what is begun later is among the parcels
    retry: false,
  });
  const left = halves.data?.filter(({ name }) => !parcels.some((each) => each.name === name)) ?? [];
  if (parcels.length + left.length === 0) return null;
  return (
    <ul aria-label="Recordings on their way" className="mt-6 grid gap-2">
      {left.map((half) => (
        <Half key={half.key} half={half} />
      ))}
      {parcels.map((parcel) => (
        <Row key={parcel.id} name={parcel.name} path={parcel.path} onClose={() => drop(parcel.id)}>
          {parcel.state === "refused" ? (
            <>
              {parcel.again && (
                <Button icon="retry" onClick={parcel.again}>
                  Try again
                </Button>
              )}
              <span role="alert" className="order-last basis-full text-bad">
                {parcel.reason}
              </span>
            </>
          ) : (
            <>
              <Bar className="w-40" share={parcel.share} label={`${parcel.name}: sent`} />
              <span className="w-36 text-sm text-quiet">
                {parcel.state === "sending"
                  ? `${Math.round(100 * parcel.share)}%`
                  : SAYS[parcel.state]}
              </span>
            </>
          )}
        </Row>
      ))}
    </ul>
  );
}

/** A recording of which the rest is still to come, after the page was left. */
function Half({ half }: { half: HalfSent }) {
  const drop = useMutation({
    mutationFn: () => giveUp(half),
    onSettled: () => queries.resetQueries({ queryKey: ["half sent"] }),
  });
  return (
    <Row name={half.name} path={null} onClose={() => drop.mutate()}>
      <Bar className="w-40" share={half.share} label={`${half.name}: sent`} />
      <span className="text-sm text-quiet">
        {Math.round(100 * half.share)}% are there. Choose it once more, and it goes on from there.
      </span>
    </Row>
  );
}

function Row({
  name,
  path,
  onClose,
  children,
}: {
  name: string;
  path: string | null;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <li className="panel flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3">
      <span className="min-w-0 flex-1 basis-52 truncate font-medium">
        {path ? (
          <Link className="underline" href={path}>
            {name}
          </Link>
        ) : (
          name
        )}
      </span>
      {children}
      <IconButton icon="close" label={`Put ${name} aside`} onClick={onClose} />
    </li>
  );
}
