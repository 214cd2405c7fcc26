"""The lab: from a folder of photographs to a world that runs live. Imported by nothing but its verbs."""
