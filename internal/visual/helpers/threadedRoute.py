class GroupFilter:
    def __init__(self, name, filters):
        self.name = name
        self.filters = filters


def threadedRoute(glueContext, source_DyF, group_filters) -> DynamicFrameCollection:
    with concurrent.futures.ThreadPoolExecutor(max_workers=5) as executor:
        parts = executor.map(lambda group: Filter.apply(frame=source_DyF, f=group.filters), group_filters)
        frames = {group.name: part for group, part in zip(group_filters, parts)}
    return DynamicFrameCollection(frames, glueContext)
