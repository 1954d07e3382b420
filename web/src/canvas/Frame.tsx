import { NodeResizer, type NodeProps } from "@xyflow/react";
import { memo, useState } from "react";
import { groupsOf, updateGroup } from "@/model/groups";
import { edit, graphOf, useTab } from "@/state/documents";
import { t } from "@/strings";
import { ownColour } from "./colours";
import { readFlowId, type FlowNode } from "./flow";
import { TitleField } from "./TitleField";

/** A frame around nodes; whoever moves it by its title moves what is in it. */
export const Frame = memo(function Frame({ id: flowId, selected }: NodeProps<FlowNode>) {
  const { id } = readFlowId(flowId);
  const group = useTab((tab) => groupsOf(graphOf(tab)).find((candidate) => candidate.id === id));
  const [renaming, setRenaming] = useState(false);
  if (group === undefined) return null;
  const rename = (title?: string) => {
    setRenaming(false);
    if (title !== undefined) edit({ name: t("stepRename") }, (graph) => updateGroup(graph, id, { title }));
  };
  return (
    <section
      className="frame"
      style={{ color: ownColour(group.color) ?? "var(--grey-5)" }}
      aria-label={group.title}
    >
      <NodeResizer
        isVisible={selected}
        minWidth={120}
        minHeight={64}
        onResizeEnd={(_, box) =>
          edit({ name: t("stepResize") }, (graph) =>
            updateGroup(graph, id, { position: [box.x, box.y], size: [box.width, box.height] }),
          )
        }
      />
      <header className="frame-title" onDoubleClick={() => setRenaming(true)}>
        {renaming ? <TitleField value={group.title} onDone={rename} /> : group.title}
      </header>
    </section>
  );
});
