"""What the user has chosen: flag > environment > ``.env`` > ``config.toml`` > default."""

from tui.settings.dotenv_file import write_dotenv
from tui.settings.loading import Loaded, load_settings
from tui.settings.model import NotConfigured, Secret, Settings, SettingsError
from tui.settings.saved_filters import is_filter_name, save_filter
from tui.settings.state import remember

__all__ = [
    "Loaded",
    "NotConfigured",
    "Secret",
    "Settings",
    "SettingsError",
    "is_filter_name",
    "load_settings",
    "remember",
    "save_filter",
    "write_dotenv",
]
