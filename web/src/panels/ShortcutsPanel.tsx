import { allCommands } from "@/app/commands";
import { t } from "@/strings";
import { Shell } from "./Shell";

/** Every key there is. */
export default function ShortcutsPanel() {
  const commands = allCommands().filter(({ keys }) => keys.length > 0);
  return (
    <Shell>
      <table className="shortcuts">
        <tbody>
          {commands.map(({ id, label, keys }) => (
            <tr key={id}>
              <th scope="row">{t(label)}</th>
              <td>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Shell>
  );
}
