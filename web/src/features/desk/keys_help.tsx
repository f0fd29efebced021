/** Which keys there are, in a dialog. */
import { useRef } from "react";
import { Button, IconButton } from "../../ui/controls";
import { KEYS, useKeySwitch } from "./keys";

export function Keys() {
  const dialog = useRef<HTMLDialogElement>(null);
  const { on, turn } = useKeySwitch();
  return (
    <>
      <IconButton icon="help" label="Keys" onClick={() => dialog.current?.showModal()} />
      <dialog
        ref={dialog}
        aria-labelledby="keys"
        className="panel m-auto w-[min(32rem,calc(100vw-2rem))] p-6 text-text backdrop:bg-black/60"
      >
        <h2 id="keys" className="text-xl font-semibold">
          Keys
        </h2>
        <dl className="mt-4 grid grid-cols-[auto_1fr] gap-x-5 gap-y-2">
          {KEYS.map(([key, does]) => (
            <div key={key} className="contents">
              <dt className="font-mono">{key}</dt>
              <dd className="text-quiet">{does}</dd>
            </div>
          ))}
        </dl>
        <label className="mt-5 flex items-center gap-3">
          <input
            type="checkbox"
            className="size-5"
            checked={on}
            onChange={(event) => turn(event.target.checked)}
          />
          Use these keys
        </label>
        <Button kind="main" className="mt-5" onClick={() => dialog.current?.close()}>
          Good
        </Button>
      </dialog>
    </>
  );
}
