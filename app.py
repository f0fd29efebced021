"""The page that a Hugging Face Space shows: `python app.py`."""

from unbraid.gradio_app import main

if __name__ == "__main__":
    main()
