/** What lanes show of a sound. */
import { classes } from "../../text";

export type Shows = "waves" | "spectra";

const NAMES: Record<Shows, string> = { waves: "Waveforms", spectra: "Spectrograms" };

export function ShowsChoice({
  shows,
  onChange,
}: {
  shows: Shows;
  onChange: (shows: Shows) => void;
}) {
  return (
    <fieldset className="mt-3 flex w-fit gap-1 rounded-full border border-line bg-raised p-1">
      <legend className="sr-only">Lanes show</legend>
      {(["waves", "spectra"] as const).map((each) => (
        <label
          key={each}
          className={classes(
            "rounded-full px-3 py-1 text-sm font-medium has-focus-visible:outline-3 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent-text",
            shows === each ? "bg-lifted text-text" : "text-quiet hover:text-text",
          )}
        >
          <input
            type="radio"
            name="shows"
            className="sr-only"
            checked={shows === each}
            onChange={() => onChange(each)}
          />
          {NAMES[each]}
        </label>
      ))}
    </fieldset>
  );
}
