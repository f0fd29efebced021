/** How good each stem is, in numbers, of one run or of two beside each other. */
import type { Job } from "../../api/client";
import { classes } from "../../text";
import { useAnalysis } from "../job/music";
import { RUN_NAMES } from "./runs";

const MEASURES = [
  ["Score", "without a reference, 0 to 1"],
  ["SDR", "signal to all distortion, in dB"],
  ["SIR", "signal to interference of other stems, in dB"],
  ["SAR", "signal to artifacts, in dB"],
] as const;

type Row = (number | null)[];

export function Scores({ runs }: { runs: readonly Job[] }) {
  const found = [useScores(runs[0]), useScores(runs[1])].slice(0, runs.length);
  const stems = [...new Set(found.flatMap((run) => [...run.keys()]))];
  const compared = runs.some((job) => job.scores);
  const shown = compared ? MEASURES : MEASURES.slice(0, 1);
  if (stems.length === 0) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls where it does not fit
    <section aria-label="Scores" tabIndex={0} className="panel mt-5 overflow-x-auto">
      <table className="w-full text-left">
        <thead className="text-sm text-quiet">
          {runs.length > 1 && (
            <tr>
              <td />
              {runs.map((job, k) => (
                <th key={job.id} scope="colgroup" colSpan={shown.length} className="px-4 pt-3">
                  {RUN_NAMES[k]}: {job.options.model}
                </th>
              ))}
            </tr>
          )}
          <tr>
            <th scope="col" className="px-4 py-2 font-normal">
              Stem
            </th>
            {runs.flatMap((job) =>
              shown.map(([name, means]) => (
                <th key={`${job.id} ${name}`} scope="col" className="px-4 py-2 font-normal">
                  <abbr title={means} className="no-underline">
                    {name}
                  </abbr>
                </th>
              )),
            )}
          </tr>
        </thead>
        <tbody>
          {stems.map((stem) => (
            <tr key={stem} className="border-t border-line">
              <th scope="row" className="px-4 py-2 font-medium">
                {stem}
              </th>
              {found.flatMap((run, k) =>
                shown.map(([name], column) => {
                  const value = run.get(stem)?.[column] ?? null;
                  const rival = found[1 - k]?.get(stem)?.[column] ?? null;
                  const better = value !== null && rival !== null && value > rival;
                  return (
                    <td
                      key={`${runs[k]?.id} ${name}`}
                      className={classes(
                        "px-4 py-2 font-mono",
                        better && "font-semibold text-accent-text",
                      )}
                    >
                      {value === null ? "–" : value.toFixed(column === 0 ? 2 : 1)}
                      {better && <span className="sr-only"> (better)</span>}
                    </td>
                  );
                }),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The measures of each stem of a run. */
function useScores(job: Job | undefined): ReadonlyMap<string, Row> {
  const analysis = useAnalysis(job ?? null);
  const quality = analysis?.quality.stems ?? {};
  const scores = job?.scores ?? {};
  const stems = new Set([...Object.keys(quality), ...Object.keys(scores)]);
  return new Map(
    [...stems].map((stem) => {
      const { sdr_db = null, sir_db = null, sar_db = null } = scores[stem] ?? {};
      return [stem, [quality[stem] ?? null, sdr_db, sir_db, sar_db]];
    }),
  );
}
