/** Recordings on their way to the server. */
import { useStore } from "zustand";
import { jobPath } from "../../route";
import { bring, drop, type Parcel } from "../../state/bring";
import { Bar, IconButton, Link } from "../../ui/controls";

const SAYS: Record<Parcel["state"], string> = {
  checking: "looking at it",
  waiting: "waits to be sent",
  composing: "is composed",
  sending: "is sent",
  queued: "is there",
  refused: "",
};

export function Parcels() {
  const parcels = useStore(bring, (state) => state.parcels);
  if (parcels.length === 0) return null;
  return (
    <ul aria-label="Recordings on their way" className="mt-6 grid gap-2">
      {parcels.map((parcel) => (
        <li key={parcel.id} className="panel flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3">
          <span className="min-w-0 flex-1 basis-52 truncate font-medium">
            {parcel.jobId ? (
              <Link className="underline" href={jobPath(parcel.jobId)}>
                {parcel.name}
              </Link>
            ) : (
              parcel.name
            )}
          </span>
          {parcel.state === "refused" ? (
            <span role="alert" className="order-last basis-full text-bad">
              {parcel.reason}
            </span>
          ) : (
            <>
              <Bar className="w-40" share={parcel.share} label={`${parcel.name}: sent`} />
              <span className="w-28 text-sm text-quiet">
                {parcel.state === "sending"
                  ? `${Math.round(100 * parcel.share)}%`
                  : SAYS[parcel.state]}
              </span>
            </>
          )}
          <IconButton
            icon="close"
            label={`Put ${parcel.name} aside`}
            onClick={() => drop(parcel.id)}
          />
        </li>
      ))}
    </ul>
  );
}
